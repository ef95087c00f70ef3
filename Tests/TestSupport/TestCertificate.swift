import Foundation

/// A self-signed certificate for localhost and 127.0.0.1, and its key. For tests only; both are public.
package enum TestCertificate {
    /// Calls `body` with the paths of the certificate and the key, which exist during the call.
    package static func withFiles<Result>(
        _ body: (_ certificate: String, _ key: String) async throws -> Result
    ) async throws -> Result {
        let directory = URL(fileURLWithPath: NSTemporaryDirectory()).appendingPathComponent(UUID().uuidString)
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: directory) }
        let certificate = directory.appendingPathComponent("certificate.pem")
        let key = directory.appendingPathComponent("key.pem")
        try Data(certificatePEM.utf8).write(to: certificate)
        try Data(keyPEM.utf8).write(to: key)
        return try await body(certificate.path, key.path)
    }

    private static let certificatePEM = """
        -----BEGIN CERTIFICATE-----
        MIIBmjCCAUGgAwIBAgIUA9SZpfccS5b5rPVyAi+l+OIg6JMwCgYIKoZIzj0EAwIw
        FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyMTA1MTAyMVoYDzIxMjYxMDI4
        MDUxMDIxWjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO
        PQMBBwNCAATVAugawbYtmYHVxziWJjNpm1JJb4X4xyx8vxc8JaO+eLHxi4ldOaUb
        R6eNj3bhpixsM/+IosVHvj09IWh7+OB4o28wbTAdBgNVHQ4EFgQUWtaRyeufJAB1
        sl6oOagWDp1YZAMwHwYDVR0jBBgwFoAUWtaRyeufJAB1sl6oOagWDp1YZAMwDwYD
        VR0TAQH/BAUwAwEB/zAaBgNVHREEEzARgglsb2NhbGhvc3SHBH8AAAEwCgYIKoZI
        zj0EAwIDRwAwRAIgSpKtwSl0m9ObjU0Yf+KGxBDeSBBp2dVfFQ9S+42lIDgCIFdu
        vv/QIZKTODTjYdaxLg1ai4Bw+evj3ZJPFc9btNef
        -----END CERTIFICATE-----
        """

    private static let keyPEM = """
        -----BEGIN PRIVATE KEY-----
        MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQggMwQfbx+OHr00E1i
        /ajUkR7ovRXmXljjaUpJ/YJu6YGhRANCAATVAugawbYtmYHVxziWJjNpm1JJb4X4
        xyx8vxc8JaO+eLHxi4ldOaUbR6eNj3bhpixsM/+IosVHvj09IWh7+OB4
        -----END PRIVATE KEY-----
        """
}
