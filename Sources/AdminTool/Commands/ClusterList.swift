import ArgumentParser
import MQClient
import MQProtocol

struct ClusterList: AdminCommand {
    static let configuration = CommandConfiguration(
        commandName: "clusterList", abstract: "List all of clusters.")

    @OptionGroup var common: CommonOptions

    @Flag(name: [.customShort("m"), .customLong("moreStats")], help: "Totals of today and yesterday.")
    var moreStats = false

    @Option(name: [.customShort("i"), .customLong("interval")], help: "Repeat every so many seconds.")
    var interval: Int?

    func run(_ client: MQClient) async throws {
        while true {
            let topology = try await client.clusterTopology()
            if moreStats {
                await showTotals(topology, client)
            } else {
                await showLoad(topology, client)
            }
            guard let interval else { return }
            try await TimeSource.system.sleep(for: .seconds(max(1, interval)))
        }
    }

    private func showLoad(_ topology: ClusterTopology, _ client: MQClient) async {
        let columns = Columns(16, 22, 4, 22, 16, -19, -19, -10, -9, -7)
        Console.print(
            columns.line(
                "#Cluster Name", "#Broker Name", "#BID", "#Addr", "#Version", "#InTPS(LOAD)", "#OutTPS(LOAD)",
                "#PCWait(ms)", "#Hour", "#SPACE"))
        await forEachBroker(topology, client) { cluster, broker, id, address, info in
            let queue =
                "\(info["sendThreadPoolQueueSize"] ?? "0"),\(info["sendThreadPoolQueueHeadWaitTimeMills"] ?? "0")ms"
            let pulls =
                "\(info["pullThreadPoolQueueSize"] ?? "0"),\(info["pullThreadPoolQueueHeadWaitTimeMills"] ?? "0")ms"
            let output = info["getTransferedTps"] ?? info["getTransferredTps"]
            let disk = info["commitLogDiskRatio"].flatMap(Double.init) ?? 0
            Console.print(
                columns.line(
                    cluster, broker, String(id), address, info["brokerVersionDesc"] ?? "",
                    "\(firstNumber(info["putTps"]))(\(queue))", "\(firstNumber(output))(\(pulls))",
                    info["pageCacheLockTimeMills"] ?? "", hours(since: info["earliestMessageTimeStamp"]),
                    disk.text(places: 4)))
        }
    }

    private func showTotals(_ topology: ClusterTopology, _ client: MQClient) async {
        let columns = Columns(16, 32, -14, -14, -14, -14)
        Console.print(
            columns.line(
                "#Cluster Name", "#Broker Name", "#InTotalYest", "#OutTotalYest", "#InTotalToday", "#OutTotalToday"))
        await forEachBroker(topology, client) { cluster, broker, _, _, info in
            func difference(_ later: String, _ earlier: String) -> String {
                let end = info[later].flatMap { Int64($0) } ?? 0
                let start = info[earlier].flatMap { Int64($0) } ?? 0
                return String(end &- start)
            }
            Console.print(
                columns.line(
                    cluster, broker,
                    difference("msgPutTotalTodayMorning", "msgPutTotalYesterdayMorning"),
                    difference("msgGetTotalTodayMorning", "msgGetTotalYesterdayMorning"),
                    difference("msgPutTotalTodayNow", "msgPutTotalTodayMorning"),
                    difference("msgGetTotalTodayNow", "msgGetTotalTodayMorning")))
        }
    }

    /// A broker that does not answer is shown without figures: the list is wanted most when one is down.
    private func forEachBroker(
        _ topology: ClusterTopology, _ client: MQClient,
        _ show: (_ cluster: String, _ broker: String, _ id: Int64, _ address: String, _ info: [String: String]) -> Void
    ) async {
        for (cluster, names) in topology.clusters {
            for broker in names.compactMap({ topology.brokersByName[$0] }) {
                for (id, address) in broker.addresses.sorted(by: { $0.key < $1.key }) {
                    do {
                        show(cluster, broker.name, id, address, try await client.runtimeInformation(ofBroker: address))
                    } catch {
                        show(cluster, broker.name, id, address, [:])
                        Console.printError("mqadmin clusterList: \(error)")
                    }
                }
            }
        }
    }

    private func firstNumber(_ text: String?) -> String {
        let first = text?.split(separator: " ").first.flatMap { Double($0) }
        return (first ?? 0).text(places: 2)
    }

    private func hours(since text: String?) -> String {
        guard let earliest = text.flatMap({ Int64($0) }), earliest > 0 else { return "0.00" }
        let age = TimeSource.system.now().milliseconds &- earliest
        return (Double(age) / 3_600_000).text(places: 2)
    }
}
