import Testing

@testable import API
@testable import Serving

/// What a model lacks that is asked for a forecast, or for a text.
@Suite struct ForecastGapTests {
  @Test func ofForecasters() throws {
    let service = try Service.make(
      TestModels.echo(), TestModels.tokens(), TestModels.pair(), TestModels.vector())
    func gap(_ model: String, ofTokens: Bool) throws -> ForecastGap {
      ForecastGap(in: try service.parts.models.snapshot.model(model), ofTokens: ofTokens)
    }
    #expect(try gap("echo", ofTokens: false) == .undeclared(output: "y", input: "x"))
    #expect(try gap("echo", ofTokens: true) == .otherKind(input: "x", isTokens: false))
    #expect(try gap("tokens", ofTokens: false) == .otherKind(input: "t", isTokens: true))
    #expect(try gap("tokens", ofTokens: true) == .noOutput(inputSize: 4))
    #expect(try gap("pair", ofTokens: false) == .inputs(["x", "t"]))
    #expect(try gap("vector", ofTokens: true) == .inputs(["x", "v"]))
  }

  @Test(arguments: [
    (ForecastGap.undeclared(output: "y", input: "x"), #"{\"name\": \"y\", \"forecasts\": \"x\"}"#),
    (.noOutput(inputSize: 1), "a multiple of the input's 1 element"),
    (.inputs(["a", "b"]), "it has 2 inputs, a and b, expected one"),
    (.otherKind(input: "t", isTokens: true), "POST /generate"),
    (.otherKind(input: "t", isTokens: false), "POST /predict"),
  ]) func sentences(gap: ForecastGap, part: String) {
    #expect(
      "\(Fault(ModelChoiceError.notForecaster(model: "m", gap)))".contains(
        part.replacing("\\", with: "")))
  }

  /// Of many models an error lists some.
  @Test func someOfManyNames() {
    func error(_ count: Int) -> String {
      "\(Fault(ModelChoiceError.noSuchModel(name: "x", known: (0..<count).map { "m\($0)" })))"
    }
    #expect(error(20).hasSuffix("m18 or m19"))
    #expect(error(22).hasSuffix("m18, m19 or 2 more"))
  }
}
