/// Bodies that a 4.9.8 broker, name server and client really sent.
enum BodySample {
    static let heartbeat = #"""
        {"clientID":"192.0.2.2@483#960632793414","consumerDataSet":[{"consumeFromWhere":"CONSUME_FROM_FIRST_OFFSET",
        "consumeType":"CONSUME_PASSIVELY","groupName":"CG_facts","messageModel":"CLUSTERING","subscriptionDataSet":[
        {"classFilterMode":false,"codeSet":[],"expressionType":"TAG","subString":"*","subVersion":1795225565986,
        "tagsSet":[],"topic":"%RETRY%CG_facts"},{"classFilterMode":false,"codeSet":[2598919,2598920],
        "expressionType":"TAG","subString":"TagA || TagB","subVersion":1795225565980,"tagsSet":["TagA","TagB"],
        "topic":"TopicTest"}],"unitMode":false}],"producerDataSet":[{"groupName":"CLIENT_INNER_PRODUCER"}]}
        """#

    static let lock = #"""
        {"clientId":"192.0.2.2@483#960870313601","consumerGroup":"CG_orderly","mqSet":[
        {"brokerName":"broker-a","queueId":3,"topic":"TopicTest"}]}
        """#

    static let routeStandard =
        #"{"brokerDatas":[{"brokerAddrs":{"0":"127.0.0.2:20911","1":"127.0.0.1:21911"},"brokerName":"broker-a","#
        + #""cluster":"FactsCluster"}],"filterServerTable":{},"queueDatas":[{"brokerName":"broker-a","perm":6,"#
        + #""readQueueNums":4,"topicSysFlag":0,"writeQueueNums":4}]}"#

    static let cluster =
        #"{"brokerAddrTable":{"broker-a":{"brokerAddrs":{0:"127.0.0.2:20911",1:"127.0.0.1:21911"},"#
        + #""brokerName":"broker-a","cluster":"FactsCluster"}},"clusterAddrTable":{"FactsCluster":["broker-a"]}}"#

    static let register =
        #"{"filterServerList":[],"topicConfigSerializeWrapper":{"dataVersion":{"counter":3,"timestamp":1700000000000},"#
        + #""topicConfigTable":{"T1":{"order":false,"perm":6,"readQueueNums":4,"topicFilterType":"SINGLE_TAG","#
        + #""topicName":"T1","topicSysFlag":0,"writeQueueNums":4}}}}"#

    static let registerCompressed = """
        78da63606050af564ace2fcd2b492d52b232d6512ac9cc4d2d2e49cc2d50b232343740805a0606064620160e31543001423385604f3f
        771fd7f8104777a03053742c00d4151135
        """

    static let topicStats =
        #"{"offsetTable":{{"brokerName":"broker-a","queueId":3,"topic":"TopicTest"}:"#
        + #"{"lastUpdateTimestamp":1795225685241,"maxOffset":5,"minOffset":0}}}"#

    static let consumeStats =
        #"{"consumeTps":0.05,"offsetTable":{{"brokerName":"broker-a","queueId":3,"topic":"TopicTest"}:"#
        + #"{"brokerOffset":5,"consumerOffset":5,"lastTimestamp":1795225685241}}}"#

    static let consumerConnection = #"""
        {"connectionSet":[{"clientAddr":"127.0.0.1:43702","clientId":"192.0.2.2@inst1","language":"JAVA",
        "version":409}],"consumeFromWhere":"CONSUME_FROM_FIRST_OFFSET","consumeType":"CONSUME_PASSIVELY",
        "messageModel":"CLUSTERING","subscriptionTable":{"TopicTest":{"classFilterMode":false,"codeSet":[],
        "expressionType":"TAG","subString":"*","subVersion":1,"tagsSet":[],"topic":"TopicTest"}}}
        """#

    static let producers =
        #"{"data":{"PG_facts":[{"clientId":"192.0.2.2@inst1","language":"JAVA","lastUpdateTimestamp":1795225715228,"#
        + #""remoteIP":"/127.0.0.1:43702","version":409}]}}"#

    static let consumeQueue = #"""
        {"filterData":"null","maxQueueIndex":5,"minQueueIndex":0,"queueData":[{"eval":false,"physicOffset":0,
        "physicSize":235,"tagsCode":2598919}],"subscriptionData":{"classFilterMode":false,"codeSet":[],
        "expressionType":"TAG","subString":"*","subVersion":1,"tagsSet":[],"topic":"TopicTest"}}
        """#

    static let delayOffsets = #"{"offsetTable":{2:1,3:1}}"#
    static let correctionOffsets = #"{"correctionOffsets":{0:2,1:1,2:1,3:2}}"#
    static let topicList = #"{"brokerAddr":"127.0.0.2:20911","topicList":["broker-a","FactsCluster"]}"#
    static let table = #"{"table":{"TopicTest":"broker-a:4"}}"#
    static let consumerList = #"{"consumerIdList":["192.0.2.2@483#960632793414"]}"#
    static let groupList = #"{"groupList":["CG_a","CG_b"]}"#
    static let direct = #"{"autoCommit":true,"consumeResult":"CR_SUCCESS","order":false,"spentTimeMills":1}"#
    static let statistics =
        #"{"statsDay":{"avgpt":0.0,"sum":0,"tps":0.0},"statsHour":{"avgpt":0.0,"sum":0,"tps":0.0},"#
        + #""statsMinute":{"avgpt":1.5,"sum":3,"tps":0.25}}"#
    static let resetMap = #"{"offsetTable":{{"brokerName":"broker-a","queueId":3,"topic":"TopicTest"}:5}}"#
    static let resetList = #"{"offsetTable":[{"brokerName":"broker-a","offset":5,"queueId":3,"topic":"TopicTest"}]}"#
    static let status =
        #"{"consumerTable":{"192.0.2.2@inst1":{{"brokerName":"b","queueId":0,"topic":"T"}:5}},"messageQueueTable":{}}"#

    static let all = [
        heartbeat, lock, routeStandard, cluster, register, topicStats, consumeStats, consumerConnection, producers,
        consumeQueue, delayOffsets, correctionOffsets, topicList, table, consumerList, groupList,
        direct, statistics, resetMap, resetList, status,
    ]
}
