import Testing

@testable import ModelFormat

@Suite struct StepAxisTests {
  private let x = StepAxis(origin: 0)

  private func axis(_ stages: StepAxis.Stage...) throws -> StepAxis {
    try stages.reduce(x) { try #require($0.applying($1)) }
  }

  private static let kernels: [(StepKernel, [Int: Int])] = [
    // By torch.nn.Conv1d, MaxPool1d and Keras's layers.
    (
      StepKernel(kernel: 3, stride: 2, padding: .explicit(before: 1, after: 1)), [1: 1, 4: 2, 5: 3]
    ),
    (StepKernel(kernel: 3, stride: 2, padding: .valid), [2: 0, 3: 1, 4: 1, 5: 2]),
    (StepKernel(kernel: 3, stride: 2, padding: .same), [1: 1, 4: 2, 5: 3]),
    (StepKernel(kernel: 4, stride: 3, padding: .causal), [1: 1, 3: 1, 4: 2]),
    (StepKernel(kernel: 2, stride: 2, padding: .valid, isCeiling: true), [1: 1, 2: 1, 3: 2]),
    (
      StepKernel(kernel: 3, stride: 1, dilation: 2, padding: .explicit(before: 2, after: 2)),
      [1: 1, 7: 7]
    ),
    // No window begins in the padding behind.
    (
      StepKernel(
        kernel: 2, stride: 2, padding: .explicit(before: 1, after: 1), isCeiling: true),
      [1: 1, 2: 2, 3: 2, 4: 3]
    ),
  ]

  @Test(arguments: kernels)
  func placesOfAKernel(kernel: StepKernel, counts: [Int: Int]) throws {
    let axis = try axis(kernel.stage)
    for (count, expected) in counts { #expect(axis.count([count]) == expected) }
  }

  /// However the stages were simplified, each number is what they make one after another.
  @Test func stagesFollowOneAnother() throws {
    var random = SeededGenerator(state: 3)
    for _ in 0..<300 {
      let stages = (0..<Int.random(in: 1...4, using: &random)).map { _ in
        StepAxis.Stage(
          factor: .random(in: 1...4, using: &random), offset: .random(in: -4...4, using: &random),
          divisor: .random(in: 1...4, using: &random))
      }
      guard let axis = stages.reduce(x, { $0?.applying($1) }) else { continue }
      for count in 1...40 {
        let expected = stages.reduce(count) { count, stage in stage(count) }
        #expect(axis.count([count]) == max(0, expected))
        guard expected > 0 else { continue }
        let least = try #require(axis.leastOrigin(for: expected))
        let most = try #require(axis.mostOrigin(for: expected))
        #expect((least...most).contains(count))
        #expect(axis.count([least - 1]) < expected && axis.count([most + 1]) > expected)
      }
    }
  }

  /// Pieces add up to the whole, wherever they are cut, and no piece has more than the most.
  @Test func piecesAddUp() throws {
    let paddings: [StepKernel.Padding] = [.causal, .valid, .explicit(before: 1, after: 0)]
    let kernels = [1, 2, 3, 7].flatMap { stride in
      paddings.map { StepKernel(kernel: 4, stride: stride, padding: $0).stage }
    }
    var random = SeededGenerator(state: 4)
    for _ in 0..<200 {
      let stages = (0..<Int.random(in: 1...4, using: &random)).map { _ in
        Bool.random(using: &random)
          ? kernels.randomElement(using: &random)!
          : StepAxis.Stage(factor: .random(in: 1...3, using: &random))
      }
      let axis = try #require(stages.reduce(x, { $0?.applying($1) }))
      var (position, sum) = (0, 0)
      while position < 60 {
        let steps = Int.random(in: 0...5, using: &random)
        let added = axis.added(by: steps, after: position)
        #expect((0...axis.most([steps])).contains(added))
        (position, sum) = (position + steps, sum + added)
        #expect(axis.count([position]) == sum)
      }
    }
  }

  /// A state may claim any number of steps.
  @Test func farAlong() throws {
    let most = 1 << 62
    let grown = try axis(.init(factor: 1024))
    #expect(grown.added(by: 3, after: most) == 3072)
    #expect(grown.exactCount(most) == Int128(most) * 1024)
    let thirds = try axis(.init(factor: 512), .init(offset: 2, divisor: 3), .init(factor: 2))
    let added = (0..<3).map { thirds.added(by: 1, after: most + $0) }
    #expect(added.reduce(0, +) == 1024 && thirds.added(by: 3, after: most) == 1024)
  }

  private static let streamable: [(StepKernel, Bool)] = [
    (StepKernel(kernel: 3, stride: 2, padding: .causal), true),
    (StepKernel(kernel: 3, stride: 2, dilation: 2, padding: .explicit(before: 4, after: 0)), true),
    (StepKernel(kernel: 3, stride: 2, padding: .explicit(before: 3, after: 0)), false),
    (StepKernel(kernel: 3, stride: 2, padding: .explicit(before: 1, after: 0)), true),
    (StepKernel(kernel: 3, stride: 2, padding: .explicit(before: 2, after: 1)), false),
    (StepKernel(kernel: 1, stride: 2, padding: .valid), true),
    (StepKernel(kernel: 2, stride: 2, padding: .valid), true),
    (StepKernel(kernel: 2, stride: 2, padding: .valid, isCeiling: true), false),
    (StepKernel(kernel: 2, stride: 1, padding: .valid, isCeiling: true), true),
    (StepKernel(kernel: 1, stride: 3, padding: .same), true),
    (StepKernel(kernel: 2, stride: 2, padding: .same), false),
    (
      StepKernel(kernel: 2, stride: 1, padding: .explicit(before: 1, after: 0), isCeiling: true),
      true
    ),
    (
      StepKernel(kernel: 3, stride: 2, padding: .explicit(before: 2, after: 0), isCeiling: true),
      false
    ),
    (StepKernel(kernel: 1, stride: 2, padding: .valid, isCeiling: true), true),
  ]

  /// A kernel streams if each of its positions ends with a step of the sequence, however many there are.
  @Test(arguments: streamable)
  func streamingKernels(kernel: StepKernel, streams: Bool) throws {
    #expect(kernel.streams == streams)
    let axis = try axis(kernel.stage)
    let end = { (position: Int, count: Int) in
      position * kernel.stride + kernel.span - kernel.before(stepCount: count)
    }
    let endsWithSteps = (1...40).allSatisfy { count in
      let positions = axis.count([count])
      return (0..<positions).allSatisfy { (1...count).contains(end($0, count)) }
        && end(positions, count) > count
    }
    #expect(endsWithSteps == streams)
  }

  @Test func sameNumberSameAxis() throws {
    let halved = try axis(StepKernel(kernel: 2, stride: 2, padding: .same).stage)
    #expect(try axis(.init(offset: 3, divisor: 4)) == halved.applying(.init(offset: 1, divisor: 2)))
    #expect(try axis(.init(factor: 2), .init(divisor: 2)) == x)
    #expect(try axis(.init(offset: 3), .init(offset: -3)) == x)
    #expect(halved.applying(.init(factor: 2)) != x)
    #expect(try axis(.init(factor: 0, offset: 5)) == StepAxis(count: 5))
    #expect(try axis(.init(factor: 0, offset: 5), .init(divisor: 2)) == StepAxis(count: 2))
    #expect(StepAxis(origin: 1) != x)
  }

  @Test func bounds() throws {
    #expect(try axis(.init(factor: 1024)).applying(.init(factor: 2)) == nil)
    #expect(x.applying(.init(factor: 1025)) == nil)
    #expect(x.applying(.init(offset: 65536)) != nil)
    #expect(x.applying(.init(offset: 65537)) == nil)
    #expect(x.applying(.init(factor: 0, offset: 65537)) == nil)
    #expect(x.applying(.init(divisor: 1 << 23)) == nil)
    #expect(StepAxis(count: 3).leastOrigin(for: 4) == nil)
    #expect(StepAxis(count: 3).mostOrigin(for: 2) == nil)
  }

  // MARK: - Graphs

  private func model(
    _ nodes: [ModelDescription.Node], tensors: [String: [Int]] = [:], steps: Int? = nil
  ) throws -> Model {
    try Model(
      description: ModelDescription(
        name: "m", version: "1",
        inputs: [.init(name: "x", kind: .features(size: 1, mean: nil, scale: nil), steps: steps)],
        nodes: nodes, outputs: [.init(name: nodes.last!.name)]),
      tensors: zeros(tensors))
  }

  private func node(
    _ name: String, _ op: ModelDescription.Op, _ inputs: String...
  ) -> ModelDescription.Node {
    .init(name: name, op: op, inputs: inputs)
  }

  @Test func branchesOfAsManySteps() throws {
    let model = try model(
      [
        node("c", .conv(padding: .same, stride: 2), "x"), node("p", .maxPool(padding: .same), "x"),
        node("y", .add, "c", "p"),
      ], tensors: ["c.weight": [1, 1, 3]])
    #expect(model.axes.count == 2 && model.outputs[0].axis == 1)
    #expect(model.axes[1].count([7]) == 4)
  }

  @Test func branchesOfOtherSteps() {
    expectError(mentioning: [
      "nodes[1].inputs[1]: add takes sequences of as many steps as each other",
      "\"p\" has (the steps of \"x\") / 2, rounded down", "\"x\" has the steps of \"x\"",
    ]) { _ = try model([node("p", .maxPool(), "x"), node("y", .add, "x", "p")]) }
    // Rounded down, then doubled: not what it was.
    expectError(mentioning: ["\"up\" has 2 · ((the steps of \"x\") / 2, rounded down)"]) {
      _ = try model([
        node("p", .maxPool(), "x"), node("up", .repeatSteps(), "p"), node("y", .add, "x", "up"),
      ])
    }
    expectError(mentioning: ["\"l\" has 1", "\"f\" has 2"]) {
      _ = try model([
        node("f", .sliceSteps(end: 2), "x"), node("l", .sliceSteps(start: -1), "x"),
        node("y", .concat, "f", "l"),
      ])
    }
  }

  @Test func leastAndMost() throws {
    let model = try model(
      [
        node("p", .averagePool(kernel: 4, stride: 2), "x"), node("q", .maxPool(kernel: 3), "p"),
        node("a", .attention(), "q", "q"), node("y", .sliceSteps(start: -1), "a"),
      ])
    let axis = model.inputAxes[0]
    #expect(axis.least == 8 && axis.neededBy == "q")
    // 2048 windows of 3 of windows of 4, 2 apart.
    #expect(axis.most == 2 * (2048 * 3 + 2) + 3)
  }

  private static let bounded: [([ModelDescription.Op], ClosedRange<Int>)] = [
    ([.averagePool(kernel: 4)], 4...Int.max), ([.maxPool(), .maxPool(kernel: 3)], 6...Int.max),
    ([.sliceSteps(start: -5)], 5...Int.max), ([.padSteps(before: 6, mode: .reflect)], 7...Int.max),
    ([.repeatSteps(times: 512)], 1...2048),
  ]

  /// An input whose `steps` a kernel, a slice or a padding can't do with could be asked nothing.
  @Test(arguments: bounded)
  func exactSteps(ops: [ModelDescription.Op], range: ClosedRange<Int>) throws {
    let names = ops.indices.map { "n\($0)" }
    let nodes = ops.indices.map { node(names[$0], ops[$0], $0 > 0 ? names[$0 - 1] : "x") }
    let last = "node \"\(names[names.count - 1])\""
    for steps in [range.lowerBound, min(range.upperBound, 5000)] {
      #expect(try model(nodes, steps: steps).inputAxes[0].least == steps)
    }
    if range.lowerBound > 1 {
      let steps = range.lowerBound - 1
      expectError(mentioning: [
        "inputs[0].steps", "\(steps) steps of the input \"x\"", "at least \(range.lowerBound)",
        "\(last) needs",
      ]) { _ = try model(nodes, steps: steps) }
    }
    if range.upperBound < .max {
      expectError(mentioning: ["inputs[0].steps", "at most \(range.upperBound)", last]) {
        _ = try model(nodes, steps: range.upperBound + 1)
      }
    }
  }

  /// What becomes many steps for one is bounded.
  @Test func growth() throws {
    let model = try model([
      node("a", .repeatSteps(times: 512), "x"), node("p", .maxPool(), "a"),
      node("y", .sliceSteps(start: 1), "p"),
    ])
    #expect(model.inputAxes[0].most == 2048 && model.inputAxes[0].limitedBy == "a")
    #expect(try self.model([node("y", .padSteps(before: 9), "x")]).inputAxes[0].most == .max)
  }

  @Test func refused() {
    expectError(mentioning: ["nodes[1].inputs: expected at least 3, found 2 steps"]) {
      _ = try model([
        node("f", .sliceSteps(end: 2), "x"), node("y", .sliceSteps(end: 3), "f"),
      ])
    }
    expectError(mentioning: ["nodes[0].start", "found 3", "a step before \"end\", 2"]) {
      _ = try model([node("y", .sliceSteps(start: 3, end: 2), "x")])
    }
    expectError(mentioning: ["nodes[0].end", "found 2"]) {
      _ = try model([node("y", .sliceSteps(start: -3, end: 2), "x")])
    }
    expectError(mentioning: ["nodes[0].padding", "[3, 0]", "fewer steps than the kernel's 3"]) {
      _ = try model([
        node("y", .maxPool(kernel: 3, padding: .explicit(before: 3, after: 0)), "x")
      ])
    }
    expectError(mentioning: ["nodes[1].times", "1024 times"]) {
      _ = try model([
        node("a", .repeatSteps(times: 1000), "x"), node("y", .repeatSteps(), "a"),
      ])
    }
  }

  @Test(arguments: [
    (#""padding": "sam""#, "nodes[0].padding"), (#""padding": [1, 2, 3]"#, "nodes[0].padding"),
    (#""padding": [-1, 0]"#, "nodes[0].padding"), (#""kernel": 0"#, "nodes[0].kernel"),
    (#""count_padding": 1"#, "nodes[0].count_padding"), (#""ceil": 1"#, "nodes[0].ceil"),
  ])
  func badAttributes(attribute: String, path: String) {
    let json = """
      { "format": "carousel/1", "name": "m", "version": "1",
        "inputs": [{ "name": "x", "kind": "features", "size": 1 }],
        "nodes": [{ "name": "y", "op": "average_pool", "inputs": ["x"], \(attribute) }],
        "outputs": [{ "name": "y" }] }
      """
    expectError(mentioning: [path]) {
      _ = try Model(
        description: ModelDescription(json: Array(json.utf8)), tensors: zeros([:]))
    }
  }

  /// What is read is written as it was.
  @Test(arguments: [
    ModelDescription.Op.conv(padding: .explicit(before: 1, after: 2), stride: 3),
    .maxPool(kernel: 3, stride: 2, padding: .same, dilation: 2),
    .averagePool(padding: .explicit(before: 1, after: 1), ceil: true, countPadding: false),
    .sliceSteps(start: 1, end: -2, stride: 3), .padSteps(before: 1, mode: .edge),
    .repeatSteps(times: 5),
  ])
  func writtenAndRead(op: ModelDescription.Op) throws {
    let description = ModelDescription(
      name: "m", version: "1",
      inputs: [.init(name: "x", kind: .features(size: 1, mean: nil, scale: nil), axis: "a")],
      nodes: [node("y", op, "x")], outputs: [.init(name: "y")])
    #expect(try ModelDescription(json: Array(description.json.utf8)) == description)
  }
}
