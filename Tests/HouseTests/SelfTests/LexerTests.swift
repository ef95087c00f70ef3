import Testing

@Suite struct LexerTests {
    private func code(_ text: String) -> String { String(decoding: SwiftLexer(text).code, as: UTF8.self) }
    private func comments(_ text: String) -> String { String(decoding: SwiftLexer(text).comments, as: UTF8.self) }

    @Test func blanksCommentsAndStrings() {
        #expect(code("a // b\nc") == "a     \nc")
        #expect(comments("a // b\nc") == "  // b\n ")
        #expect(code("a /* b /* c */ d */ e") == "a                   e")
        #expect(code("let s = \"x // y\"; z") == "let s = \"      \"; z")
        #expect(code(#"f("a\"b", c)"#) == #"f("    ", c)"#)
        #expect(code("x = \"\"\"\n a \"b\" // c\n \"\"\" + y") == "x = \"\"\"\n           \n \"\"\" + y")
    }

    @Test func interpolationIsCode() {
        #expect(code(#""a \(b("c)") + d) e" f"#) == #""    b("  ") + d)  " f"#)
        #expect(code(##"#"a \(b) \#(c) "d""# e"##) == ##"#"          c)    "# e"##)
    }

    @Test func keepsLinesAndColumns() {
        let text = "é \"é\nü // ö\n/* \n */ x \"\"\"\n\\(y)\n\"\"\""
        let lexer = SwiftLexer(text)
        #expect(lexer.code.count == text.utf8.count)
        #expect(lexer.comments.count == text.utf8.count)
        #expect(lexer.code.filter { $0 == 0x0A }.count == text.utf8.filter { $0 == 0x0A }.count)
    }

    @Test func findsFunctions() {
        let text = """
            struct A {
                let braces = "{{{"
                var stored = 1
                var computed: Int { 1 }
                init(_ a: Int = B.init()) {
                    self.init() // }
                }
                func one(
                    a: (Int) -> Void = { _ in }
                ) async throws(E) -> [Int] {
                    call { inner in
                        "\\(inner.map { $0 })}"
                    }
                }
                subscript(a: Int) -> Int { a }
            }
            protocol P {
                func required()
                init()
            }
            """
        let found = FunctionFinder(SourceFile(path: "A.swift", text: text)).functions()
        #expect(
            found == [
                FunctionExtent(name: "computed", line: 4, lineCount: 1),
                FunctionExtent(name: "init", line: 5, lineCount: 3),
                FunctionExtent(name: "one", line: 8, lineCount: 7),
                FunctionExtent(name: "subscript", line: 15, lineCount: 1),
            ])
    }

    @Test func readsImportLines() {
        #expect(ImportRules.module("import NIOCore") == "NIOCore")
        #expect(ImportRules.module("@testable import MQStore") == "MQStore")
        #expect(ImportRules.module("package import struct NIOCore.ByteBuffer") == "NIOCore")
        #expect(ImportRules.module("  let important = 1") == nil)
    }

    @Test func findsStraysAndBuiltFiles() {
        let manifest = SourceFile(
            path: "Package.swift",
            text: ".target(name: \"A\"), .testTarget(\n name: \"ATests\"), .systemLibrary(name: \"C\")")
        #expect(PathRules.declaredTargets(manifest) == ["A", "ATests", "C"])
        let paths = ["Sources/A/a.swift", "Sources/B/b.swift", "Sources/loose.swift", "Tests/ATests/x/y.swift"]
        let strays = PathRules.strays(paths.map { SourceFile(path: $0, text: "x") }, targets: ["A", "ATests"])
        #expect(strays.map(\.path) == ["Sources/B/b.swift", "Sources/loose.swift"])
        #expect(PathRules.builtFiles(["a.swift", "Package.resolved", ".build/x", ".swiftpm/y"]).count == 3)
    }
    @Test func findsNamesakes() {
        let paths = ["A/x/Same.swift", "A/y/Same.swift", "B/Same.swift", "A/Other.swift"].map { "Sources/" + $0 }
        let found = PathRules.namesakes(paths.map { SourceFile(path: $0, text: "x") })
        #expect(found.map(\.path) == ["Sources/A/y/Same.swift"])
    }

    @Test func findsSQLThatIsNotEmbedded() {
        let manifest = SourceFile(path: "Package.swift", text: "resources: [.embedInCode(\"a.sql\")]")
        let files = ["schema/a.sql", "schema/b.sql"].map { SourceFile(path: $0, text: "SELECT 1;") }
        #expect(PathRules.unembedded(files, manifest).map(\.path) == ["schema/b.sql"])
    }
}
