import Testing

/// Each rule sees a violation that was planted for it, and nothing in the innocent twin.
@Suite struct RuleSelfTests {
    struct Plant: Sendable, CustomTestStringConvertible {
        let rule: Rule
        var path = "Sources/MQBroker/Planted.swift"
        let guilty: String
        /// Nil where no text is innocent at this path.
        let innocent: String?
        /// Where the violation is reported.
        var line = 1

        var testDescription: String { "\(rule): \(guilty.prefix(40))" }
    }

    @Test(arguments: plants)
    func isSeen(_ plant: Plant) {
        let found = plant.rule.check(SourceFile(path: plant.path, text: plant.guilty))
        #expect(found.map(\.line) == [plant.line])
        #expect(found.allSatisfy { $0.path == plant.path && !$0.message.isEmpty })
        guard let innocent = plant.innocent else { return }
        #expect(plant.rule.check(SourceFile(path: plant.path, text: innocent)) == [])
    }

    @Test func everyRuleHasAPlant() {
        #expect(Set(Self.plants.map { $0.rule.name }) == Set(Rule.all.map { $0.name }))
    }

    static let plants = sizes + words + calls + unsafety + imports + files

    private static let sizes = [
        Plant(
            rule: SizeRules.lineLength, guilty: "let a = 1\nlet b = \"" + String(repeating: "é", count: 111) + "\"",
            innocent: "let b = \"" + String(repeating: "é", count: 110) + "\"", line: 2),
        Plant(
            rule: SizeRules.fileLength, guilty: String(repeating: "let a = 1\n", count: 701),
            innocent: String(repeating: "let a = 1\n", count: 700), line: 701),
        Plant(
            rule: SizeRules.functionLength,
            guilty: "\nfunc long() {\n" + String(repeating: "go()\n", count: 69) + "}\n",
            innocent: "\nfunc long() {\n" + String(repeating: "go()\n", count: 68) + "}\n", line: 2),
        Plant(
            rule: SizeRules.functionLength,
            guilty: "init(a: (Int) -> Int = { $0 }) where T: P {\n" + String(repeating: "\n", count: 70) + "}",
            innocent: "struct Long {\n" + String(repeating: "let a = 1\n", count: 90) + "}"),
        Plant(
            rule: SizeRules.functionLength, guilty: "var a: Int {\n" + String(repeating: "\n", count: 70) + "}",
            innocent: "protocol P { var a: Int\nfunc b()\nfunc c() }\nstruct S {" + String(repeating: "\n", count: 90)
                + "}"),
    ]

    private static let words = [
        Plant(
            rule: WordRules.reminders, guilty: "let a = 1 // TODO: later",
            innocent: "let t = \"SCHEDULE_TOPIC_XXXX\" // TODOS"),
        Plant(rule: WordRules.reminders, guilty: "/* a\n /* XXX */ b */", innocent: "let a = \"// FIXME\"", line: 2),
        Plant(rule: WordRules.typeNames, guilty: "final class TopicManager {}", innocent: "let topicManager = 1"),
        Plant(rule: WordRules.typeNames, guilty: "enum StringUtils {}", innocent: "struct Utilization {}"),
        Plant(rule: WordRules.typeNames, guilty: "struct StoreImpl {}", innocent: "struct ImplicitName {}"),
        Plant(rule: WordRules.typeNames, guilty: "class DefaultStore {}", innocent: "struct Defaults {}"),
        Plant(rule: WordRules.typeNames, guilty: "protocol PathHelper {}", innocent: "// struct PathHelper"),
    ]

    private static let calls = [
        Plant(rule: WordRules.calls, guilty: "fatalError(\"no\")", innocent: "let a = \"fatalError(\""),
        Plant(rule: WordRules.calls, guilty: "let a = try! read()", innocent: "let a = try? read() // try!"),
        Plant(rule: WordRules.libraryCalls, guilty: "print(\"x\")", innocent: "console.print(\"x\")"),
        Plant(
            rule: WordRules.libraryCalls, guilty: "try await Task.sleep(for: t)",
            innocent: "try await time.sleep(for: t)"),
        Plant(
            rule: WordRules.testCalls, path: "Tests/MQBrokerTests/Planted.swift",
            guilty: "try await Task.sleep(for: t)", innocent: "try await time.sleep(for: t)"),
        Plant(
            rule: WordRules.testCalls, path: "Tests/MQBrokerTests/Planted.swift", guilty: "usleep(100)",
            innocent: "let a = \"usleep(100)\""),
    ]

    private static let unsafety = [
        Plant(rule: UnsafeRules.marked, guilty: "let a = unsafe b.c", innocent: "let unsafely = 1 // unsafe"),
        Plant(
            rule: UnsafeRules.marked, guilty: "\"\\(unsafe b)\"", innocent: "\"unsafe\""),
        Plant(rule: UnsafeRules.marked, guilty: "let a: UnsafePointer<Int>", innocent: "let a: Pointer<Int>"),
        Plant(
            rule: UnsafeRules.unchecked, guilty: "final class A: @unchecked Sendable {}",
            innocent: "class A: Sendable {}"),
    ]

    private static let imports = [
        Plant(rule: ImportRules.rule, guilty: "package import Foundation", innocent: "package import NIOCore"),
        Plant(
            rule: ImportRules.rule, path: "Sources/MQStore/Planted.swift", guilty: "import MQBroker",
            innocent: "import MQProtocol"),
        Plant(
            rule: ImportRules.rule, path: "Sources/MQProtocol/Planted.swift",
            guilty: "\n@_spi(X) import struct NIOPosix.A",
            innocent: "// import NIOPosix", line: 2),
        Plant(
            rule: ImportRules.rule, path: "Sources/MQClient/Planted.swift", guilty: "let a = ClientBootstrap(group: g)",
            innocent: "import NIOPosix"),
        Plant(
            rule: ImportRules.rule, path: "Sources/MQRemoting/Planted.swift", guilty: "import Glibc",
            innocent: "let a = ClientBootstrap(group: g)"),
        Plant(rule: ImportRules.rule, path: "Sources/Unknown/A.swift", guilty: "import NIOCore", innocent: "let a = 1"),
    ]

    private static let files = [
        Plant(
            rule: PathRules.absolutePaths, path: "README.md", guilty: "see /" + "home/me/escrow",
            innocent: "see docs/" + "home/me and ./work/x"),
        Plant(rule: PathRules.emptyFile, guilty: "// nothing\n\n", innocent: "enum A {}"),
        Plant(
            rule: PathRules.emptyFile, path: "Sources/MQBroker/Placeholder.swift", guilty: "enum A {}", innocent: nil),
    ]
}
