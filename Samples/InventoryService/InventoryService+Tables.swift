public import ShopEvents

extension InventoryService {
    public static let tables = ServiceTables("inventory", PackageResources.inventory_sql)
}
