import ModelFormat
import Testing

@testable import carousel

@Suite struct ModelLoadingTests {
  @Test func inTheOrderOfTheFolders() throws {
    #expect(try loadModels([BundledModel.folder]).map(\.model.description.name) == ["co2"])
    #expect(try loadModels([]).isEmpty)
  }

  @Test func oneNameTwice() {
    let folder = BundledModel.folder
    #expect(throws: CarouselError.duplicateModel(name: "co2", folders: [folder, folder])) {
      try loadModels([folder, folder])
    }
  }

  @Test func anErrorNamesItsFolder() {
    #expect { try loadModels([BundledModel.folder, "/nonexistent"]) } throws: {
      $0 is ModelError && "\($0)".contains("/nonexistent")
    }
  }
}
