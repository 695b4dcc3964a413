import Testing

@testable import API

/// What `inputs` may look like: for each kind of input the depths that are one sequence and many, and every way to be wrong.
@Suite struct InputDecoderTests {
  let service: Service

  init() throws {
    service = try Service.make(
      TestModels.echo(), TestModels.counter(), TestModels.tokens(),
      TestModels.tokens(vocabulary: ["a", "b", "ab", "\n"], name: "text"), TestModels.pair(),
      TestModels.vector(), TestModels.echo(size: 1, name: "scalar"))
  }

  @Test(arguments: [
    ("echo", "[[1,2],[3,4]]", "[[1.0,2.0],[3.0,4.0]]"),
    ("echo", "[[1,2]]", "[[1.0,2.0]]"),
    ("echo", "[[[1,2],[3,4]],[[5,6]]]", "[[[1.0,2.0],[3.0,4.0]],[[5.0,6.0]]]"),
    ("echo", "[[[1,2]]]", "[[[1.0,2.0]]]"),
    ("echo", #"{"x": [[1,2]]}"#, "[[1.0,2.0]]"),
    ("scalar", "[1,2,3]", "[1.0,2.0,3.0]"),
    ("scalar", "[[1,2,3],[4]]", "[[1.0,2.0,3.0],[4.0]]"),
    ("scalar", "[[1],[2]]", "[[1.0],[2.0]]"),
    ("scalar", "[[[1],[2]],[[3]]]", "[[[1.0],[2.0]],[[3.0]]]"),
    ("tokens", "[1,3]", "[10.0,30.0]"),
    // Whole numbers, however they are written.
    ("tokens", "[3.0,30e-1,0.03e+2,-0]", "[30.0,30.0,30.0,0.0]"),
    ("tokens", "[0.0000000000000000000,3.0000000000000000000 , 0e-400]", "[0.0,30.0,0.0]"),
    ("scalar", "[3.00000001,1e-400,-2]", "[3.0,0.0,-2.0]"),
    ("tokens", "[[1,3],[0]]", "[[10.0,30.0],[0.0]]"),
    ("tokens", "[[[1],[3]],[[0]]]", "[[[10.0],[30.0]],[[0.0]]]"),
    ("text", #""aab""#, "[0.0,20.0]"),
    ("text", #"["ba\n","a"]"#, "[[10.0,0.0,30.0],[0.0]]"),
    ("text", "[2,1]", "[20.0,10.0]"),
    (
      "pair", #"{"t":[1,2],"x":[[1,2],[3,4]]}"#,
      #"{"y":[[1.0,2.0],[3.0,4.0]],"z":[[10.0],[20.0]]}"#
    ),
    (
      "pair", #"{"x":[[[1,2]],[[3,4]]],"t":[[1],[2]]}"#,
      #"{"y":[[[1.0,2.0]],[[3.0,4.0]]],"z":[[[10.0]],[[20.0]]]}"#
    ),
    ("vector", #"{"x":[5,6],"v":[1,2,3]}"#, "[6.0,1.0,2.0,3.0]"),
    ("vector", #"{"x":[[5],[6]],"v":[[1,2,3],[4,5,6]]}"#, "[[5.0,1.0,2.0,3.0],[6.0,4.0,5.0,6.0]]"),
    ("counter", "[7,9]", "[10.0,11.0]"),
    ("counter", "[[7,9],[1]]", "[[10.0,11.0],[2.0,3.0]]"),
  ])
  func answersInTheDepthOfTheQuestion(model: String, inputs: String, outputs: String) async {
    let answer = await service.predict(#"{"inputs":\#(inputs)}"#, model: model)
    #expect(answer.status == 200)
    #expect(answer.body == #"{"model":"\#(model)","outputs":\#(outputs)}"# + "\n")
  }

  @Test(arguments: [
    // Not a sequence at all.
    ("echo", "null", "inputs: found null, expected an array of steps of 2 numbers each"),
    ("echo", "5", "inputs: found the number 5, expected an array of steps of 2 numbers each"),
    ("echo", "true", "inputs: found true, expected an array of steps of 2 numbers each"),
    (
      "echo", #""a""#,
      #"inputs: found the string \"a\", expected an array of steps of 2 numbers each"#
    ),
    ("scalar", "null", "inputs: found null, expected an array of numbers, one a step"),
    ("tokens", "null", "inputs: found null, expected an array of token ids"),
    ("text", "3", "inputs: found the number 3, expected text, or an array of token ids"),
    // Nothing in it.
    ("echo", "[]", "inputs: found an empty array, expected at least one element"),
    ("echo", "[[]]", "inputs[0]: found an empty array, expected at least one element"),
    ("echo", "[[[]]]", "inputs[0][0]: found an empty array, expected at least one element"),
    ("echo", "[[[1,2]],[]]", "inputs[1]: found an empty array, expected at least one element"),
    ("echo", "[[1,2],[]]", "inputs[1]: found an empty array, expected an array of 2 numbers"),
    ("scalar", "[[1],[]]", "inputs[1]: found an empty array, expected at least one element"),
    ("text", #""""#, #"inputs: found the string \"\", expected at least one character"#),
    // Too shallow, too deep.
    ("echo", "[1,2]", "inputs[0]: found the number 1, expected an array of 2 numbers"),
    (
      "echo", "[0.1,2]", "inputs[0]: found the number 0.1, expected an array of 2 numbers"
    ),
    ("scalar", "[[[1]],[1]]", "inputs[1][0]: found the number 1, expected an array of 1 number"),
    ("scalar", "[[1],[[1]]]", "inputs[1][0]: found an array of 1 number, expected a number"),
    ("scalar", "[[[[1]]]]", "inputs[0][0][0]: found an array of 1 number, expected a number"),
    ("echo", "[[[1,2]],[3,4]]", "inputs[1][0]: found the number 3, expected an array of 2 numbers"),
    (
      "echo", "[[[1,2]],3]",
      "inputs[1]: found the number 3, expected an array of steps of 2 numbers each"
    ),
    ("echo", "[[1,2],3]", "inputs[1]: found the number 3, expected an array of 2 numbers"),
    ("echo", "[[1,2],[[3,4]]]", "inputs[1][0]: found an array of 2 numbers, expected a number"),
    ("echo", "[[[[1,2]]]]", "inputs[0][0][0]: found an array of 2 numbers, expected a number"),
    ("echo", "[[[[[1,2]]]]]", "inputs[0][0][0]: found an array, expected a number"),
    (
      "vector", #"{"x":[1],"v":[[[1,2,3]]]}"#,
      "inputs.v[0][0]: found an array of 3 numbers, expected a number"
    ),
    // Ragged.
    (
      "echo", "[[1,2],[3]]", "inputs[1]: found an array of 1 number, expected an array of 2 numbers"
    ),
    (
      "echo", "[[[1,2]],[[1,2],[3,4,5]]]",
      "inputs[1][1]: found an array of 3 numbers, expected an array of 2 numbers"
    ),
    (
      "scalar", "[[[1],[2,3]]]",
      "inputs[0][1]: found an array of 2 numbers, expected an array of 1 number"
    ),
    (
      "vector", #"{"x":[1],"v":[1,2]}"#,
      "inputs.v: found an array of 2 numbers, expected an array of 3 numbers"
    ),
    (
      "vector", #"{"x":[[1],[2]],"v":[[1,2,3],[1]]}"#,
      "inputs.v[1]: found an array of 1 number, expected an array of 3 numbers"
    ),
    // Something else among numbers.
    (
      "echo", "[[1,null]]",
      "inputs[0][1]: found null, expected a number like the elements before it"
    ),
    (
      "scalar", "[1,[2]]",
      "inputs[1]: found an array, expected a number like the elements before it"
    ),
    (
      "scalar", "[1,{}]",
      "inputs[1]: found an object, expected a number like the elements before it"
    ),
    (
      "scalar", #"[1,"2"]"#,
      #"inputs[1]: found the string \"2\", expected a number like the elements before it"#
    ),
    ("echo", "[[1,2],[null,2]]", "inputs[1][0]: found null, expected a number"),
    ("echo", #"[[1,2],["3",4]]"#, #"inputs[1][0]: found the string \"3\", expected a number"#),
    ("echo", #"[["1",2]]"#, #"inputs[0][0]: found the string \"1\", expected a number"#),
    ("echo", #"["a"]"#, #"inputs[0]: found the string \"a\", expected an array of 2 numbers"#),
    ("echo", "[[{}]]", "inputs[0][0]: found an object, expected a number"),
    (
      "echo", "[[[1,2],[3,NaN]]]",
      "inputs[0][1][1]: found NaN, expected a finite number, JSON has no NaN"
    ),
    (
      "echo", "[[1,1e39]]",
      #"inputs[0][1]: found 1e39, expected a number within the range of a 32-bit float"#
    ),
    // Ids.
    // Whole by rounding only, to a float or to a double.
    (
      "tokens", "[0,3.00000001,1]",
      "inputs[1]: found a number near 3, expected a token id, a whole number from 0 to 3"
    ),
    (
      "tokens", "[[1],[2,2.99999999999999999999]]",
      "inputs[1][1]: found a number near 3, expected a token id, a whole number from 0 to 3"
    ),
    (
      "tokens", "[[[1],[2.00000000000000001]]]",
      "inputs[0][1][0]: found a number near 2, expected a token id, a whole number from 0 to 3"
    ),
    (
      "tokens", "[1e-400]",
      "inputs[0]: found a number near 0, expected a token id, a whole number from 0 to 3"
    ),
    (
      "text", "[[-1e-60]]",
      "inputs[0][0]: found a number near 0, expected a token id, a whole number from 0 to 3"
    ),
    ("tokens", "[0,4]", "inputs[1]: found 4, expected a token id, a whole number from 0 to 3"),
    (
      "tokens", "[[0],[-1]]",
      "inputs[1][0]: found -1, expected a token id, a whole number from 0 to 3"
    ),
    (
      "tokens", "[[[0],[1.5]]]",
      "inputs[0][1][0]: found 1.5, expected a token id, a whole number from 0 to 3"
    ),
    (
      "tokens", "[1e38]",
      "inputs[0]: found 1e+38, expected a token id, a whole number from 0 to 3"
    ),
    (
      "tokens", "[16777217]",
      "inputs[0]: found 16777216, expected a token id, a whole number from 0 to 3"
    ),
    ("tokens", #""a""#, "inputs: found text, expected token ids, as the model has no vocabulary"),
    (
      "text", #"["ab","axé"]"#,
      #"inputs[1]: no entry of the model's vocabulary matches at character 1, \"x\""#
    ),
    ("text", #"["ab",[1]]"#, "inputs[1]: found an array of 1 number, expected a string"),
    ("text", #"[["ab"]]"#, #"inputs[0][0]: found the string \"ab\", expected a number"#),
    // Several inputs.
    ("pair", "[[1,2]]", "inputs: found an array, expected an object with the members x and t"),
    ("pair", #"{"x":[[1,2]]}"#, "inputs.t is missing"),
    ("pair", #"{"x":[[1,2]],"t":[1],"u":[1]}"#, #"inputs: \"u\" is not known, expected x or t"#),
    ("pair", #"{"x":[[1,2]],"t":[1],"x":[[1,2]]}"#, "inputs.x is given twice"),
    (
      "pair", #"{"x":[[1,2]],"t":[1,2]}"#,
      "inputs.t: found 2 steps, expected 1 like inputs.x"
    ),
    (
      "pair", #"{"x":[[[1,2]],[[1,2]]],"t":[[1],[1,2]]}"#,
      "inputs.t[1]: found 2 steps, expected 1 like inputs.x[1]"
    ),
    (
      "pair", #"{"x":[[[1,2]],[[1,2]]],"t":[[1]]}"#,
      "inputs.t holds an array of 1 sequence, expected an array of 2 sequences like the inputs before it"
    ),
    (
      "pair", #"{"x":[[1,2]],"t":[[1]]}"#,
      "inputs.t holds an array of 1 sequence, expected one sequence like the inputs before it"
    ),
    (
      "pair", #"{"x":[[1,2]],"t":[7]}"#,
      "inputs.t[0]: found 7, expected a token id, a whole number from 0 to 3"
    ),
  ])
  func refusesWithThePath(model: String, inputs: String, error: String) async {
    let answer = await service.predict(#"{"inputs":\#(inputs)}"#, model: model)
    #expect(answer.status == 400)
    #expect(answer.body == #"{"error":"\#(error)"}"# + "\n")
  }

  @Test func limitsSequences() async throws {
    var settings = ServiceSettings()
    settings.questions.maxSequencesPerRequest = 3
    let service = try Service.make(TestModels.echo(size: 1), settings: settings)
    func ask(_ count: Int) async -> (status: Int, body: String) {
      await service.predict(
        #"{"inputs":[\#(Array(repeating: "[1]", count: count).joined(separator: ","))]}"#)
    }
    #expect(await ask(2).status == 200)
    #expect(await ask(3).status == 200)
    let refused = await ask(4)
    #expect(refused.status == 400)
    #expect(
      refused.body
        == #"{"error":"inputs has 4 sequences, at most 3 are allowed (max_sequences_per_request)"}"#
        + "\n")
  }

  @Test(arguments: ["scalar", "echo", "text"])
  func limitsSteps(model: String) async throws {
    var settings = ServiceSettings()
    settings.questions.maxSequenceSteps = 3
    let service = try Service.make(
      TestModels.echo(), TestModels.echo(size: 1, name: "scalar"),
      TestModels.tokens(vocabulary: ["a"] + ["b", "c", "d"], name: "text"), settings: settings)
    func ask(_ count: Int) async -> (status: Int, body: String) {
      let sequence =
        model == "text"
        ? "\"\(String(repeating: "a", count: count))\""
        : "[\(Array(repeating: model == "echo" ? "[1,2]" : "1", count: count).joined(separator: ","))]"
      return await service.predict(#"{"inputs":[\#(sequence)]}"#, model: model)
    }
    #expect(await ask(2).status == 200)
    #expect(await ask(3).status == 200)
    let refused = await ask(4)
    #expect(refused.status == 400)
    #expect(
      refused.body
        == #"{"error":"inputs[0] has 4 steps, at most 3 are allowed (max_sequence_steps)"}"# + "\n")
  }
}
