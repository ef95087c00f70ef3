import Testing

/// The house rules, applied to every file of the repository.
@Suite struct HouseTests {
    @Test(arguments: Rule.all)
    func everyFileKeeps(rule: Rule) {
        for file in Repository.here.files { report(rule.check(file)) }
    }

    @Test func everyFileBelongsToATarget() throws {
        let files = Repository.here.files
        let manifest = try #require(files.first { $0.path == "Package.swift" })
        let targets = PathRules.declaredTargets(manifest)
        #expect(targets.isSuperset(of: ["MQProtocol", "HouseTests", "CZlib"]))
        report(PathRules.strays(files, targets: targets))
    }

    @Test func everySourceTargetHasALineInTheTableOfImports() {
        let folders = Set(Repository.here.files.filter { $0.isSwift && $0.isSource }.map(\.target))
        #expect(folders.subtracting(ImportRules.allowed.keys) == [])
    }

    @Test func theListOfUnsafeFilesNamesFilesThatExist() {
        for path in UnsafeRules.allowed.keys {
            #expect(Repository.here.files.contains { $0.path.hasPrefix(path) }, "\(path)")
        }
    }

    @Test func filesOfATargetHaveDifferentNames() {
        report(PathRules.namesakes(Repository.here.files))
    }

    @Test func everySQLFileIsEmbedded() throws {
        let files = Repository.here.files
        report(PathRules.unembedded(files, try #require(files.first { $0.path == "Package.swift" })))
    }

    @Test func nothingBuiltIsCommitted() {
        report(PathRules.builtFiles(Repository.here.trackedPaths() ?? []))
    }

    @Test func theRepositoryWasFound() {
        #expect(Repository.here.files.contains { $0.path == "Tests/HouseTests/HouseTests.swift" })
        #expect(Repository.here.files.count > 100)
    }

    private func report(_ violations: [Violation]) {
        for violation in violations {
            let place = SourceLocation(
                fileID: "escrow/" + violation.path, filePath: Repository.here.root + "/" + violation.path,
                line: violation.line,
                column: 1)
            Issue.record("\(violation)", sourceLocation: place)
        }
    }
}
