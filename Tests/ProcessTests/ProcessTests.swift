import Testing

/// Everything here starts servers of its own and loads the machine: one test after the other.
@Suite(.serialized)
enum ProcessTests {}
