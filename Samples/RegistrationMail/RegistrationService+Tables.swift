public import ShopEvents

extension RegistrationService {
    public static let tables = ServiceTables("registration", PackageResources.registration_sql)
        .then("registration-holder", PackageResources.registration_holder_sql)
        .then("registration-failed", PackageResources.registration_failed_sql)
}
