import Testing

/// Everything that needs a running broker, one after the other: they share the machine with each other's timeouts.
@Suite(.serialized) struct LiveTests {}
