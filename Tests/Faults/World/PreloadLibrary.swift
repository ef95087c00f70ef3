import Foundation
import ProcessSupport

/// The library that makes system calls of a broker fail, compiled when it is needed.
enum PreloadLibrary {
    private static let source = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("Preload/preload.c").path

    /// - Returns: nil where there is no C compiler, or no such way to load a library.
    static func build(in directory: String) async throws -> String? {
        #if os(Linux)
        let library = directory + "/preload.so"
        for compiler in ["clang", "cc"] {
            let arguments = ["-shared", "-fPIC", "-O1", "-o", library, source, "-ldl"]
            guard let done = try? await CompletedProcess.run(compiler, arguments) else { continue }
            if done.exit == .code(0) { return library }
        }
        #endif
        return nil
    }
}
