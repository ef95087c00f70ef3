import NIOSSL

extension ServerTLS {
    /// - Returns: `nil` when TLS is disabled or no certificate is configured.
    /// - Throws: `tls` naming the file that cannot be used; `configuration` when the settings contradict each other.
    func makeContext() throws(RemotingError) -> NIOSSLContext? {
        guard mode != .disabled else { return nil }
        guard let certificateFile, let privateKeyFile else {
            if certificateFile != nil || privateKeyFile != nil {
                let message = "TLS needs both a certificate and its private key: configure the missing file"
                throw RemotingError(.configuration, message)
            }
            guard mode != .enforcing else {
                let message = "TLS is enforced but no certificate is configured: configure a certificate and its key"
                throw RemotingError(.configuration, message)
            }
            return nil
        }
        let (chain, key) = try PEM.identity(certificateFile: certificateFile, privateKeyFile: privateKeyFile)
        var configuration = TLSConfiguration.makeServerConfiguration(certificateChain: chain, privateKey: key)
        if let clientAuthorityFile {
            configuration.trustRoots = .file(clientAuthorityFile)
            configuration.certificateVerification = .noHostnameVerification
        }
        return try PEM.context(configuration)
    }
}

extension ClientTLS {
    /// - Returns: `nil` when TLS is off.
    /// - Throws: `tls` naming the file that cannot be used.
    func makeContext() throws(RemotingError) -> NIOSSLContext? {
        guard isEnabled else { return nil }
        var configuration = TLSConfiguration.makeClientConfiguration()
        if let authorityFile {
            configuration.trustRoots = .file(authorityFile)
        }
        if !verifiesServer {
            configuration.certificateVerification = .none
        }
        if let certificateFile, let privateKeyFile {
            let (chain, key) = try PEM.identity(certificateFile: certificateFile, privateKeyFile: privateKeyFile)
            configuration.certificateChain = chain
            configuration.privateKey = key
        }
        return try PEM.context(configuration)
    }
}

private enum PEM {
    static func identity(
        certificateFile: String,
        privateKeyFile: String
    ) throws(RemotingError) -> ([NIOSSLCertificateSource], NIOSSLPrivateKeySource) {
        let chain: [NIOSSLCertificate]
        do {
            chain = try NIOSSLCertificate.fromPEMFile(certificateFile)
        } catch {
            throw RemotingError(.tls, "the certificate file \(certificateFile) cannot be used: \(error)", cause: error)
        }
        do {
            let key = try NIOSSLPrivateKey(file: privateKeyFile, format: .pem)
            return (chain.map { .certificate($0) }, .privateKey(key))
        } catch {
            throw RemotingError(.tls, "the private key file \(privateKeyFile) cannot be used: \(error)", cause: error)
        }
    }

    static func context(_ configuration: TLSConfiguration) throws(RemotingError) -> NIOSSLContext {
        do {
            return try NIOSSLContext(configuration: configuration)
        } catch {
            throw RemotingError(
                .tls, "the configured certificate, key or authorities cannot be used: \(error)", cause: error)
        }
    }
}
