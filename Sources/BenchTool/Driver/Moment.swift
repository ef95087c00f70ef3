import MQProtocol
import NIOCore

extension Moment {
    static func now() -> Moment {
        Moment(
            nanoseconds: NIODeadline.now().uptimeNanoseconds,
            wallMilliseconds: TimeSource.system.now().milliseconds
        )
    }
}
