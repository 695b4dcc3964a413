import ModelFormat
import TestSupport
import Testing

@testable import API

/// What `outputs` asks for, output by output.
@Suite struct OutputSelectionTests {
  @Test(arguments: [
    ("", #"{"y":[1.0,2.0,6.0],"end":[6.0],"m":[3.0]}"#),
    (#","outputs":null"#, #"{"y":[1.0,2.0,6.0],"end":[6.0],"m":[3.0]}"#),
    (#","outputs":{}"#, #"{"y":[1.0,2.0,6.0],"end":[6.0],"m":[3.0]}"#),
    (#","outputs":"last""#, #"{"y":[6.0],"end":[6.0],"m":[3.0]}"#),
    (#","outputs":"all""#, #"{"y":[1.0,2.0,6.0],"end":[1.0,2.0,6.0],"m":[3.0]}"#),
    (#","outputs":{"y":"last"}"#, #"{"y":[6.0],"end":[6.0],"m":[3.0]}"#),
    (#","outputs":{"y":"last","end":"all"}"#, #"{"y":[6.0],"end":[1.0,2.0,6.0],"m":[3.0]}"#),
    (#","outputs":{"y":null,"m":"last"}"#, #"{"y":[1.0,2.0,6.0],"end":[6.0],"m":[3.0]}"#),
  ])
  func eachOutputHasItsForm(outputs: String, expected: String) async throws {
    let service = try Service.make(TestModels.encoder())
    let one = await service.predict(#"{"inputs":[1,2,6]\#(outputs)}"#)
    #expect(one.body == #"{"model":"encoder","outputs":\#(expected)}"# + "\n")
    #expect(one.status == 200)
  }

  /// An array of sequences: an array an output, whatever its form.
  @Test func manySequences() async throws {
    let service = try Service.make(TestModels.encoder())
    let two = await service.predict(#"{"inputs":[[[1],[3]],[[5]]],"outputs":{"end":"all"}}"#)
    #expect(
      two.body
        == #"{"model":"encoder","outputs":{"y":[[[1.0],[3.0]],[[5.0]]],"end":[[[1.0],[3.0]],[[5.0]]],"m":[[2.0],[5.0]]}}"#
        + "\n")
  }

  @Test(arguments: [
    (
      #"{"m":"all"}"#,
      #"outputs.m: model \"encoder\" answers this output once a sequence, expected \"last\""#
    ),
    (#"{"y":"first"}"#, #"outputs.y: found the string \"first\", expected \"last\" or \"all\""#),
    (#"{"y":{}}"#, #"outputs.y: found an object, expected \"last\" or \"all\""#),
    (#"{"z":"all"}"#, #"outputs: \"z\" is not known, expected y, end or m"#),
    (
      "7",
      #"outputs: found the number 7, expected \"last\", \"all\" or an object with one of these by the output's name (y, end and m)"#
    ),
  ])
  func refuses(outputs: String, error: String) async throws {
    let service = try Service.make(TestModels.encoder())
    let answer = await service.predict(#"{"inputs":[1],"outputs":\#(outputs)}"#)
    #expect(answer.status == 400)
    #expect(answer.body == #"{"error":"\#(error)"}"# + "\n")
  }

  /// The page of a model says what may be asked, in the words of a question.
  @Test func pagesTellTheForms() async throws {
    let service = try Service.make(TestModels.encoder())
    let page = await service.answer("GET", "/models/encoder").body
    #expect(page.contains(#""default_outputs":{"y":"all","end":"last","m":"last"}"#))
    #expect(
      page.contains(#"{"name":"end","kind":"vector","size":1,"every_step":true},{"name":"m","#))
    #expect(page.contains(#"{"name":"m","kind":"vector","size":1,"every_step":false}"#))
  }

  /// A session carries the sums: pieces are answered as the whole is.
  @Test func sumsGoOnInASession() async throws {
    let service = try Service.make(TestModels.encoder())
    _ = await service.predict(
      #"{"inputs":[16777216,1,1],"session":{"id":"s","begin":true}}"#)
    let end = await service.predict(
      #"{"inputs":[1,-16777216],"session":"s","outputs":{"y":"last"}}"#)
    let mean = Float(0.6)
    #expect(end.body.contains(#""m":[\#(mean)]"#))
  }
}
