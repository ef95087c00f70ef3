public import ShopEvents

extension OrderService {
    public static let tables = ServiceTables("orders", PackageResources.orders_sql)
}
