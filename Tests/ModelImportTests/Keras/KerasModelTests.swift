import FoundationEssentials
import TestSupport
import Testing

@testable import ModelImport

@Suite struct KerasModelTests {
  @Test(arguments: KerasCase.all(in: Fixtures.path("keras")))
  func answersAreKeras(_ model: KerasCase) throws {
    #expect(try model.largestError() < 1e-5)
  }

  /// Cases of one's own, in the folder that KERAS_CASES names.
  @Test(.enabled(if: ProcessInfo.processInfo.environment["KERAS_CASES"] != nil))
  func otherAnswersAreKeras() {
    let folder = ProcessInfo.processInfo.environment["KERAS_CASES"] ?? ""
    for model in KerasCase.all(in: folder) {
      do {
        let error = try model.largestError()
        print("\(error < 1e-5 ? "ok" : "WRONG") \(model.name) \(error)")
        #expect(error < 1e-5, "\(model.name)")
      } catch {
        print("REFUSED \(model.name): \(error)")
      }
    }
  }
}
