import HTTPCore

/// The connections of a loop, by token. A token is the index of a slot and the slot's generation: slots are used again,
/// tokens are not.
struct ConnectionTable {
  private struct Slot {
    var connection: Connection?
    /// How often a connection was removed from the slot.
    var generation: UInt32 = 0
  }

  private var slots: [Slot] = []
  private var free: [Int] = []
  /// How many connections there are.
  private(set) var count = 0

  /// The connections, in no particular order.
  var all: [Connection] { slots.compactMap(\.connection) }

  /// The connection with `token`; nil once it has been removed.
  subscript(token: UInt64) -> Connection? {
    let index = Int(token & 0xFFFF_FFFF)
    guard index < slots.count, slots[index].generation == token >> 32 else { return nil }
    return slots[index].connection
  }

  /// Adds the connection that `make` returns for the token that it is given.
  mutating func insert(_ make: (_ token: UInt64) -> Connection) -> Connection {
    let index = free.popLast() ?? slots.count
    if index == slots.count { slots.append(Slot()) }
    let connection = make(UInt64(slots[index].generation) << 32 | UInt64(index))
    slots[index].connection = connection
    count += 1
    return connection
  }

  /// Removes `connection`, which must be in the table.
  mutating func remove(_ connection: Connection) {
    let index = Int(connection.token & 0xFFFF_FFFF)
    precondition(slots[index].connection === connection, "removed twice")
    slots[index].connection = nil
    // A generation has 31 bits: the highest bit of a token marks listeners.
    slots[index].generation = (slots[index].generation + 1) & 0x7FFF_FFFF
    free.append(index)
    count -= 1
  }
}
