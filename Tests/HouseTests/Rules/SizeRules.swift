/// How long lines, functions and files may be.
enum SizeRules {
    static let maximumColumns = 120
    static let maximumFileLines = 700
    static let maximumFunctionLines = 70

    static let all = [lineLength, fileLength, functionLength]

    static let lineLength = Rule(name: "a line has at most \(maximumColumns) columns") { file in
        guard file.isSwift || file.path.hasSuffix(".sql") || file.text.hasPrefix("#!") else { return [] }
        return file.lines.enumerated().compactMap { index, line in
            guard line.utf8.count > maximumColumns, line.count > maximumColumns else { return nil }
            let message = "\(line.count) columns, more than \(maximumColumns)"
            return Violation(path: file.path, line: index + 1, message: message)
        }
    }

    static let fileLength = Rule(name: "a file has at most \(maximumFileLines) lines") { file in
        let count = file.lines.count - (file.lines.last?.isEmpty == true ? 1 : 0)
        guard file.isSwift, count > maximumFileLines else { return [] }
        return [Violation(path: file.path, line: count, message: "\(count) lines, more than \(maximumFileLines)")]
    }

    static let functionLength = Rule(name: "a function has at most \(maximumFunctionLines) lines") { file in
        guard file.isSwift else { return [] }
        return FunctionFinder(file).functions().filter { $0.lineCount > maximumFunctionLines }.map { function in
            let message = "\(function.name) has \(function.lineCount) lines, more than \(maximumFunctionLines)"
            return Violation(path: file.path, line: function.line, message: message)
        }
    }
}
