public import ShopEvents

extension RegistrationService {
    public static let tables = ServiceTables("registration", PackageResources.registration_sql)
}
