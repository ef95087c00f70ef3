package import MQProtocol

extension MessageDraft {
    /// Turns a message that asks for a delay into the record that waits: in the topic of its level, or in the timer
    /// topic with its due time. The real topic and queue travel in the properties.
    ///
    /// - Parameter maximumLevel: higher levels are lowered to it, in the property too.
    package mutating func wait(for request: DelayRequest, maximumLevel: Int) {
        switch request {
        case .level(let level):
            properties.appendRealPlace(topic: topic, queueID: queueID)
            if level > maximumLevel { properties.appendProperty(PropertyName.delayLevel, String(maximumLevel)) }
            topic = SystemTopic.schedule
            queueID = Int32(min(level, maximumLevel) - 1)
        case .at(let due):
            properties.appendRealPlace(topic: topic, queueID: queueID)
            properties.appendProperty(PropertyName.timerOutMilliseconds, String(due.milliseconds))
            topic = SystemTopic.timerWheel
            queueID = 0
        }
    }
}
