import Glibc
import Testing

/// Lets tests that compute for seconds run on half of the cores, one after another.
///
/// All tests begin at once, on as many threads as there are cores. Heavy ones would have all the threads for as long
/// as they last, and every test that waits for something would be late.
package struct HeavyTests: TestTrait, SuiteTrait, TestScoping {
  private static let places = Places(count: max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN)) / 2))

  package var isRecursive: Bool { true }

  package func provideScope(
    for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
  ) async throws {
    // Of a suite, or of a test with arguments, each case takes a place, not the whole.
    guard testCase != nil else { return try await function() }
    await Self.places.take()
    do {
      try await function()
    } catch {
      await Self.places.giveBack()
      throw error
    }
    await Self.places.giveBack()
  }

  /// Places for the tests that run, given in the order in which they are asked for.
  private actor Places {
    private var free: Int
    private var waiting: [CheckedContinuation<Void, Never>] = []

    init(count: Int) { free = count }

    func take() async {
      if free > 0 {
        free -= 1
      } else {
        await withCheckedContinuation { waiting.append($0) }
      }
    }

    func giveBack() {
      if waiting.isEmpty { free += 1 } else { waiting.removeFirst().resume() }
    }
  }
}

extension Trait where Self == HeavyTests {
  /// The test computes for some seconds.
  package static var heavy: Self { HeavyTests() }
}
