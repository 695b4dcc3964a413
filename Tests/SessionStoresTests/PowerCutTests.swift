import Scheduling
import Synchronization
import TestSupport
import Testing

@testable import SessionStores

/// What a power cut leaves: the files with what was written since their last sync there, gone or torn.
@Suite struct PowerCutTests {
  private static let clients = 6
  private static let steps = 30

  /// A copy of the files, and what clients had been told before it was made, and had asked for by then.
  private struct Cut {
    let room: StoreRoom
    let told: [Int]
    let asked: [Int]
  }

  /// What clients were told and asked for, of each session, and the cuts so far.
  private final class Progress: Sendable {
    let told = Mutex([Int](repeating: 0, count: clients))
    let asked = Mutex([Int](repeating: 0, count: clients))
    let cuts = Mutex<[Cut]>([])
  }

  /// Has clients move a session each, and cuts the power `count` times meanwhile.
  private static func cuts(
    _ durability: SessionDurability, count: Int, seed: Int
  ) async throws -> [Cut] {
    let room = StoreRoom(capacity: 1 << 40)
    let store = try room.store(durability)
    let progress = Progress()
    try await withThrowingTaskGroup(of: Void.self) { group in
      for client in 0..<clients {
        group.addTask {
          for step in 0..<steps {
            progress.asked.withLock { $0[client] = step + 1 }
            #expect(
              await store.make(StoreRoom.move("s\(client)", from: step, steps: step + 1)) == nil)
            progress.told.withLock { $0[client] = step + 1 }
          }
        }
      }
      group.addTask {
        for number in 0..<count {
          let due = clients * steps * number / count
          try await eventually { progress.told.withLock { $0.reduce(0, +) } >= due }
          let before = progress.told.withLock { $0 }
          let copy = room.afterPowerCut(seed: seed * 100 + number)
          let cut = Cut(room: copy, told: before, asked: progress.asked.withLock { $0 })
          progress.cuts.withLock { $0.append(cut) }
        }
      }
      try await group.waitForAll()
    }
    await store.end()
    return progress.cuts.withLock { $0 }
  }

  /// The steps of each session in the files of a cut.
  private static func steps(after cut: Cut) async throws -> [Int] {
    let store = try cut.room.store()
    var steps: [Int] = []
    for client in 0..<clients {
      let text = await store.tell("s\(client)")
      let parts = text.split(separator: "/")
      #expect(text == "unknown" || (parts.count == 2 && parts[0] == parts[1]), "\(text)")
      steps.append(parts.first.flatMap { Int($0) } ?? 0)
    }
    await store.end()
    let check = try SQLiteDatabase(path: cut.room.path).prepare("PRAGMA integrity_check")
    #expect(try check.next() && check.text(0) == "ok")
    return steps
  }

  @Test(arguments: 1...8)
  func syncLosesNothing(seed: Int) async throws {
    for cut in try await Self.cuts(.sync, count: 10, seed: seed) {
      let steps = try await Self.steps(after: cut)
      for client in 0..<Self.clients {
        #expect(steps[client] >= cut.told[client])
        #expect(steps[client] <= cut.asked[client])
      }
    }
  }

  /// Whatever is lost, what is left is what once was.
  @Test(arguments: [SessionDurability.answer, .behind], 1...4)
  func othersGoBackAtMost(durability: SessionDurability, seed: Int) async throws {
    for cut in try await Self.cuts(durability, count: 10, seed: seed) {
      let steps = try await Self.steps(after: cut)
      for client in 0..<Self.clients { #expect(steps[client] <= cut.asked[client]) }
    }
  }
}
