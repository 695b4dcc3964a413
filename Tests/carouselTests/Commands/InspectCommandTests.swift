import ArgumentParser
import FoundationEssentials
import TestSupport
import Testing

@testable import carousel

@Suite struct InspectCommandTests {
  private func report(_ arguments: [String], model: String = "co2") throws -> ModelReport {
    let arguments = [Fixtures.bundledModel(model)] + arguments
    return try #require(try InspectCommand.parseAsRoot(arguments) as? InspectCommand).report()
  }

  @Test func inF32ThereIsNothingToMeasure() throws {
    #expect(try report([]).deviation == nil)
    #expect(try report(["--precision", "f32"]).deviation == nil)
    #expect(throws: ValidationError.self) { try report(["--input", "/dev/null"]) }
  }

  @Test(arguments: ["f16", "int8"])
  func measuresWhatAPrecisionCosts(precision: String) throws {
    let report = try report(["--precision", precision])
    #expect(report.precision == precision)
    #expect(report.packedBytes < (try self.report([]).packedBytes))
    #expect(report.deviation?.sample == "the model's example and random sequences")
    #expect(report.deviation?.outputs.map(\.name) == ["ppm"])
  }

  @Test func measuresOnAFile() throws {
    let path = "/tmp/carousel-inspect-\(UInt64.random(in: 0 ... .max)).json"
    defer { try? FileManager.default.removeItem(atPath: path) }
    try Data(#"{"inputs": [360, 361, 362]}"#.utf8).write(to: URL(filePath: path))
    let deviation = try report(["--precision", "int8", "--input", path]).deviation
    #expect(deviation?.sample == path)
    #expect(deviation?.sequences == 1 && deviation?.steps == 3)
    try Data(#"{"inputs": ["text"]}"#.utf8).write(to: URL(filePath: path))
    #expect { try report(["--precision", "int8", "--input", path]) } throws: {
      "\($0)".hasPrefix("\(path): inputs[0]: found the string \"text\"")
    }
    #expect(throws: CarouselError.file(path: "/nonexistent", code: 2)) {
      try report(["--precision", "int8", "--input", "/nonexistent"])
    }
  }

  @Test func measuresOnAnArray() throws {
    let path = "/tmp/carousel-inspect-\(UInt64.random(in: 0 ... .max)).npy"
    defer { try? FileManager.default.removeItem(atPath: path) }
    let bytes = NPYFileTests.file(NPYFileTests.float, NPYFileTests.twoFloats)
    try Data(bytes).write(to: URL(filePath: path))
    #expect(try report(["--precision", "int8", "--input", path]).deviation?.steps == 2)
  }
}
