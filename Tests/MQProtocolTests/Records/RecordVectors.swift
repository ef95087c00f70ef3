import NIOCore
import Testing

@testable import MQProtocol

/// A record written by a stock 4.9.8 broker and the fields it consists of.
struct RecordVector: Sendable, CustomTestStringConvertible {
    enum Body: Sendable {
        case text(String)
        case hex(String)
    }

    let name: String
    let totalSize: Int
    let bodyCRC: Int32
    let queueID: Int32
    let flag: Int32
    let queueOffset: Int64
    let physicalOffset: Int64
    let sysFlag: Int32
    let bornTimestamp: Int64
    let bornHost: String
    let storeTimestamp: Int64
    let storeHost: String
    let reconsumeTimes: Int32
    let preparedTransactionOffset: Int64
    let topic: String
    let body: Body
    /// With the symbols for 0x01 and 0x02.
    let properties: String
    let hex: String

    var testDescription: String { name }
    var bytes: ByteBuffer { ByteBuffer(hexText: hex) }
    var propertyText: ByteBuffer { ByteBuffer(propertySymbols: properties) }

    var bodyBytes: ByteBuffer {
        switch body {
        case .text(let text): ByteBuffer(string: text)
        case .hex(let hex): ByteBuffer(hexText: hex)
        }
    }
}

/// Live records; the commit log they were taken from begins with the first one.
let recordVectors: [RecordVector] = [
    RecordVector(
        name: "Plain message",
        totalSize: 235, bodyCRC: 1_774_740_973, queueID: 3, flag: 0,
        queueOffset: 0, physicalOffset: 0, sysFlag: 0,
        bornTimestamp: 1_795_225_565_500, bornHost: "127.0.0.1:47332",
        storeTimestamp: 1_795_225_565_571, storeHost: "127.0.0.2:20911",
        reconsumeTimes: 0, preparedTransactionOffset: 0,
        topic: "TopicTest", body: .text("Hello RocketMQ"),
        properties:
            "color␁red␂KEYS␁KEY1 KEY2␂UNIQ_KEY␁FD00000000000000000000000000000201E31DBD16A6676051370000␂"
            + "CLUSTER␁FactsCluster␂TAGS␁TagA",
        hex: """
            000000ebdaa320a769c865ed00000003000000000000000000000000000000000000000000000000000001a1fbc8393c \
            7f0000010000b8e4000001a1fbc839837f000002000051af0000000000000000000000000000000e48656c6c6f20526f \
            636b65744d5109546f706963546573740079636f6c6f7201726564024b455953014b455931204b45593202554e49515f \
            4b4559014644303030303030303030303030303030303030303030303030303030303032303145333144424431364136 \
            36373630353133373030303002434c5553544552014661637473436c757374657202544147530154616741
            """),
    RecordVector(
        name: "Non-ASCII body, key, tag and property",
        totalSize: 237, bodyCRC: 952_212_932, queueID: 0, flag: 0,
        queueOffset: 0, physicalOffset: 235, sysFlag: 0,
        bornTimestamp: 1_795_225_565_644, bornHost: "127.0.0.1:47332",
        storeTimestamp: 1_795_225_565_654, storeHost: "127.0.0.2:20911",
        reconsumeTimes: 0, preparedTransactionOffset: 0,
        topic: "TopicTest", body: .text("中文 body ✓"),
        properties:
            "naïve␁Grüße␂KEYS␁键␂UNIQ_KEY␁FD00000000000000000000000000000201E31DBD16A6676051CC0002␂"
            + "CLUSTER␁FactsCluster␂TAGS␁标签",
        hex: """
            000000eddaa320a738c19dc40000000000000000000000000000000000000000000000eb00000000000001a1fbc839cc \
            7f0000010000b8e4000001a1fbc839d67f000002000051af0000000000000000000000000000000fe4b8ade696872062 \
            6f647920e29c9309546f70696354657374007a6e61c3af7665014772c3bcc39f65024b45595301e994ae02554e49515f \
            4b4559014644303030303030303030303030303030303030303030303030303030303032303145333144424431364136 \
            36373630353143433030303202434c5553544552014661637473436c7573746572025441475301e6a087e7adbe
            """),
    RecordVector(
        name: "Delayed message (level 2) as stored",
        totalSize: 271, bodyCRC: 1_820_412_471, queueID: 1, flag: 0,
        queueOffset: 0, physicalOffset: 472, sysFlag: 0,
        bornTimestamp: 1_795_225_565_670, bornHost: "127.0.0.1:47332",
        storeTimestamp: 1_795_225_565_674, storeHost: "127.0.0.2:20911",
        reconsumeTimes: 0, preparedTransactionOffset: 0,
        topic: "SCHEDULE_TOPIC_XXXX", body: .text("delayed"),
        properties:
            "REAL_TOPIC␁TopicTest␂KEYS␁DK␂UNIQ_KEY␁FD00000000000000000000000000000201E31DBD16A6676051E60004␂"
            + "CLUSTER␁FactsCluster␂DELAY␁2␂WAIT␁true␂TAGS␁TagD␂REAL_QID␁1",
        hex: """
            0000010fdaa320a76c814a370000000100000000000000000000000000000000000001d800000000000001a1fbc839e6 \
            7f0000010000b8e4000001a1fbc839ea7f000002000051af0000000000000000000000000000000764656c6179656413 \
            5343484544554c455f544f5049435f58585858009a5245414c5f544f50494301546f70696354657374024b4559530144 \
            4b02554e49515f4b45590146443030303030303030303030303030303030303030303030303030303030323031453331 \
            4442443136413636373630353145363030303402434c5553544552014661637473436c75737465720244454c41590132 \
            0257414954017472756502544147530154616744025245414c5f5149440131
            """),
    RecordVector(
        name: "Compressed body (zlib), sysFlag 0x301",
        totalSize: 259, bodyCRC: 8_538_984, queueID: 2, flag: 0,
        queueOffset: 0, physicalOffset: 743, sysFlag: 769,
        bornTimestamp: 1_795_225_565_691, bornHost: "127.0.0.1:47332",
        storeTimestamp: 1_795_225_565_701, storeHost: "127.0.0.2:20911",
        reconsumeTimes: 0, preparedTransactionOffset: 0,
        topic: "TopicTest",
        body: .hex(
            "785eedc7c901c0100000b09594bac641d97f840e22f9253c31bdb9d4d6c75cdf3ec1ddddddddddddddddddddddddddddfdc2"
                + "ff710b8fe1"),
        properties:
            "KEYS␁CK␂UNIQ_KEY␁FD00000000000000000000000000000201E31DBD16A6676051FA0006␂CLUSTER␁FactsCluster␂"
            + "TAGS␁TagC",
        hex: """
            00000103daa320a700824b680000000200000000000000000000000000000000000002e700000301000001a1fbc839fb \
            7f0000010000b8e4000001a1fbc83a057f000002000051af00000000000000000000000000000037785eedc7c901c010 \
            0000b09594bac641d97f840e22f9253c31bdb9d4d6c75cdf3ec1ddddddddddddddddddddddddddddfdc2ff710b8fe109 \
            546f7069635465737400684b45595301434b02554e49515f4b4559014644303030303030303030303030303030303030 \
            30303030303030303030303230314533314442443136413636373630353146413030303602434c555354455201466163 \
            7473436c757374657202544147530154616743
            """),
    RecordVector(
        name: "First item of the batch of 1.7",
        totalSize: 230, bodyCRC: 1_973_273_278, queueID: 3, flag: 0,
        queueOffset: 1, physicalOffset: 1002, sysFlag: 0,
        bornTimestamp: 1_795_225_565_704, bornHost: "127.0.0.1:47332",
        storeTimestamp: 1_795_225_565_711, storeHost: "127.0.0.2:20911",
        reconsumeTimes: 0, preparedTransactionOffset: 0,
        topic: "TopicTest", body: .text("batch0"),
        properties:
            "KEYS␁B0␂UNIQ_KEY␁FD00000000000000000000000000000201E31DBD16A6676052080008␂WAIT␁true␂TAGS␁TagB␂"
            + "CLUSTER␁FactsCluster␂WAIT␁true",
        hex: """
            000000e6daa320a7759dc2be0000000300000000000000000000000100000000000003ea00000000000001a1fbc83a08 \
            7f0000010000b8e4000001a1fbc83a0f7f000002000051af000000000000000000000000000000066261746368300954 \
            6f70696354657374007c4b45595301423002554e49515f4b455901464430303030303030303030303030303030303030 \
            303030303030303030303230314533314442443136413636373630353230383030303802574149540174727565025441 \
            4753015461674202434c5553544552014661637473436c757374657202574149540174727565
            """),
    RecordVector(
        name: "Half message",
        totalSize: 294, bodyCRC: 1_703_926_528, queueID: 0, flag: 0,
        queueOffset: 0, physicalOffset: 1903, sysFlag: 0,
        bornTimestamp: 1_795_225_565_808, bornHost: "127.0.0.1:47338",
        storeTimestamp: 1_795_225_565_831, storeHost: "127.0.0.2:20911",
        reconsumeTimes: 0, preparedTransactionOffset: 0,
        topic: "RMQ_SYS_TRANS_HALF_TOPIC", body: .text("tx-commit"),
        properties:
            "REAL_TOPIC␁TopicTx␂KEYS␁TK1␂TRAN_MSG␁true␂"
            + "UNIQ_KEY␁FD00000000000000000000000000000201E31DBD16A667605270000E␂CLUSTER␁FactsCluster␂"
            + "PGROUP␁PG_tx␂WAIT␁true␂TAGS␁T1␂REAL_QID␁1",
        hex: """
            00000126daa320a7658fdb0000000000000000000000000000000000000000000000076f00000000000001a1fbc83a70 \
            7f0000010000b8ea000001a1fbc83a877f000002000051af0000000000000000000000000000000974782d636f6d6d69 \
            7418524d515f5359535f5452414e535f48414c465f544f50494300aa5245414c5f544f50494301546f7069635478024b \
            45595301544b31025452414e5f4d5347017472756502554e49515f4b4559014644303030303030303030303030303030 \
            30303030303030303030303030303230314533314442443136413636373630353237303030304502434c555354455201 \
            4661637473436c7573746572025047524f55500150475f7478025741495401747275650254414753015431025245414c \
            5f5149440131
            """),
    RecordVector(
        name: "The committed message of 2.6",
        totalSize: 277, bodyCRC: 1_703_926_528, queueID: 1, flag: 0,
        queueOffset: 0, physicalOffset: 2493, sysFlag: 8,
        bornTimestamp: 1_795_225_565_808, bornHost: "127.0.0.1:47338",
        storeTimestamp: 1_795_225_565_905, storeHost: "127.0.0.2:20911",
        reconsumeTimes: 0, preparedTransactionOffset: 1903,
        topic: "TopicTx", body: .text("tx-commit"),
        properties:
            "REAL_TOPIC␁TopicTx␂KEYS␁TK1␂TRAN_MSG␁true␂"
            + "UNIQ_KEY␁FD00000000000000000000000000000201E31DBD16A667605270000E␂CLUSTER␁FactsCluster␂"
            + "PGROUP␁PG_tx␂WAIT␁true␂TAGS␁T1␂REAL_QID␁1",
        hex: """
            00000115daa320a7658fdb000000000100000000000000000000000000000000000009bd00000008000001a1fbc83a70 \
            7f0000010000b8ea000001a1fbc83ad17f000002000051af00000000000000000000076f0000000974782d636f6d6d69 \
            7407546f706963547800aa5245414c5f544f50494301546f7069635478024b45595301544b31025452414e5f4d534701 \
            7472756502554e49515f4b45590146443030303030303030303030303030303030303030303030303030303030323031 \
            4533314442443136413636373630353237303030304502434c5553544552014661637473436c7573746572025047524f \
            55500150475f7478025741495401747275650254414753015431025245414c5f5149440131
            """),
    RecordVector(
        name: "Op message for 2.6",
        totalSize: 135, bodyCRC: 1_960_566_561, queueID: 0, flag: 0,
        queueOffset: 0, physicalOffset: 3065, sysFlag: 0,
        bornTimestamp: 1_795_225_565_922, bornHost: "127.0.0.2:20911",
        storeTimestamp: 1_795_225_565_935, storeHost: "127.0.0.2:20911",
        reconsumeTimes: 0, preparedTransactionOffset: 0,
        topic: "RMQ_SYS_TRANS_OP_HALF_TOPIC", body: .text("0"),
        properties:
            "WAIT␁true␂TAGS␁d",
        hex: """
            00000087daa320a774dbdf21000000000000000000000000000000000000000000000bf900000000000001a1fbc83ae2 \
            7f000002000051af000001a1fbc83aef7f000002000051af00000000000000000000000000000001301b524d515f5359 \
            535f5452414e535f4f505f48414c465f544f504943001057414954017472756502544147530164
            """),
    RecordVector(
        name: "Consumer send-back (level 3) as stored",
        totalSize: 375, bodyCRC: 1_774_740_973, queueID: 2, flag: 0,
        queueOffset: 0, physicalOffset: 5038, sysFlag: 0,
        bornTimestamp: 1_795_225_565_500, bornHost: "127.0.0.1:47332",
        storeTimestamp: 1_795_225_566_674, storeHost: "127.0.0.2:20911",
        reconsumeTimes: 1, preparedTransactionOffset: 0,
        topic: "SCHEDULE_TOPIC_XXXX", body: .text("Hello RocketMQ"),
        properties:
            "REAL_TOPIC␁%RETRY%CG_facts␂color␁red␂ORIGIN_MESSAGE_ID␁7F000002000051AF0000000000000000␂"
            + "RETRY_TOPIC␁TopicTest␂KEYS␁KEY1 KEY2␂"
            + "UNIQ_KEY␁FD00000000000000000000000000000201E31DBD16A6676051370000␂CLUSTER␁FactsCluster␂"
            + "WAIT␁false␂DELAY␁3␂TAGS␁TagA␂REAL_QID␁0",
        hex: """
            00000177daa320a769c865ed0000000200000000000000000000000000000000000013ae00000000000001a1fbc8393c \
            7f0000010000b8e4000001a1fbc83dd27f000002000051af0000000100000000000000000000000e48656c6c6f20526f \
            636b65744d51135343484544554c455f544f5049435f5858585800fb5245414c5f544f50494301255245545259254347 \
            5f666163747302636f6c6f7201726564024f524947494e5f4d4553534147455f49440137463030303030323030303035 \
            314146303030303030303030303030303030300252455452595f544f50494301546f70696354657374024b455953014b \
            455931204b45593202554e49515f4b455901464430303030303030303030303030303030303030303030303030303030 \
            303230314533314442443136413636373630353133373030303002434c5553544552014661637473436c757374657202 \
            574149540166616c73650244454c4159013302544147530154616741025245414c5f5149440130
            """),
    RecordVector(
        name: "Record 2.3 after delivery",
        totalSize: 261, bodyCRC: 1_820_412_471, queueID: 1, flag: 0,
        queueOffset: 0, physicalOffset: 7892, sysFlag: 0,
        bornTimestamp: 1_795_225_565_670, bornHost: "127.0.0.1:47332",
        storeTimestamp: 1_795_225_570_697, storeHost: "127.0.0.2:20911",
        reconsumeTimes: 0, preparedTransactionOffset: 0,
        topic: "TopicTest", body: .text("delayed"),
        properties:
            "REAL_TOPIC␁TopicTest␂KEYS␁DK␂UNIQ_KEY␁FD00000000000000000000000000000201E31DBD16A6676051E60004␂"
            + "CLUSTER␁FactsCluster␂DELAY␁2␂WAIT␁true␂TAGS␁TagD␂REAL_QID␁1",
        hex: """
            00000105daa320a76c814a37000000010000000000000000000000000000000000001ed400000000000001a1fbc839e6 \
            7f0000010000b8e4000001a1fbc84d897f000002000051af0000000000000000000000000000000764656c6179656409 \
            546f70696354657374009a5245414c5f544f50494301546f70696354657374024b45595301444b02554e49515f4b4559 \
            014644303030303030303030303030303030303030303030303030303030303032303145333144424431364136363736 \
            30353145363030303402434c5553544552014661637473436c75737465720244454c4159013202574149540174727565 \
            02544147530154616744025245414c5f5149440131
            """),
    RecordVector(
        name: "IPv6 born and store host",
        totalSize: 223, bodyCRC: 2_077_894_005, queueID: 0, flag: 0,
        queueOffset: 0, physicalOffset: 0, sysFlag: 48,
        bornTimestamp: 1_700_000_000_000, bornHost: "[0:0:0:0:0:0:0:1]:49100",
        storeTimestamp: 1_795_226_109_823, storeHost: "[0:0:0:0:0:0:0:1]:20911",
        reconsumeTimes: 0, preparedTransactionOffset: 0,
        topic: "RawTopic", body: .text("v6 body"),
        properties:
            "UNIQ_KEY␁FD00000000000000000000000000000201E31DBD16A6676051370000␂CLUSTER␁FactsCluster␂TAGS␁A",
        hex: """
            000000dfdaa320a77bda2575000000000000000000000000000000000000000000000000000000300000018bcfe56800 \
            000000000000000000000000000000010000bfcc000001a1fbd0877f00000000000000000000000000000001000051af \
            00000000000000000000000000000007763620626f647908526177546f706963005d554e49515f4b4559014644303030 \
            303030303030303030303030303030303030303030303030303032303145333144424431364136363736303531333730 \
            30303002434c5553544552014661637473436c757374657202544147530141
            """),
]
