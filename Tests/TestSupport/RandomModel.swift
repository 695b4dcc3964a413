import Inference
import ModelFormat

/// A graph of random ops with random weights, over sizes around the kernels' lanes.
package struct RandomModel {
  package let model: Model
  private var noise: Noise

  /// What a graph has beside what is drawn anyway.
  package enum Focus: String, Sendable, CaseIterable {
    /// Attention to a sequence of other steps, some of which don't count.
    case maskedAttention
    /// Convolutions and pools over steps some of which don't count.
    case maskedKernels
    /// A multiplicative LSTM, and a sequence cropped or padded to another's steps.
    case recent
    /// Nothing but what runs step by step, over numbers of steps that change along the way.
    case streamed
  }

  /// - Parameter focus: nil for nothing.
  package init(seed: UInt64, focus: Focus? = nil) throws {
    var maker = Maker(noise: Noise(seed: seed))
    model = try maker.make(focus)
    noise = maker.noise
  }

  /// A sequence of `steps` random steps for the model.
  package mutating func sequence(steps: Int) throws -> InputSequence {
    try noise.sequence(for: model, steps: steps)
  }

  private struct Value {
    let name: String
    let isSequence: Bool
    let size: Int
    /// Which steps a sequence has: those of equal words are put together.
    var steps = "x"
  }

  /// Adds inputs and nodes one by one, each on values that are there already.
  private struct Maker {
    var noise: Noise
    var tensors: [(name: String, shape: [Int], floats: [Float])] = []
    var inputs: [ModelDescription.Input] = []
    var nodes: [ModelDescription.Node] = []
    var values: [Value] = []
    var used: Set<String> = []
    /// Whether a node's tensors have no prefix.
    var hasBareNode = false

    init(noise: Noise) { self.noise = noise }

    mutating func make(_ focus: Focus?) throws -> Model {
      addInputs(hasOneAxis: focus == .streamed)
      if focus == .streamed {
        for index in 0..<number(4...9) { addStreamed("n\(index)") }
      } else {
        for index in 0..<number(2...9) { addNode("n\(index)") }
      }
      switch focus {
      case .streamed: break
      case nil: break
      case .maskedAttention: addMaskedAttention()
      case .maskedKernels: addMaskedKernels()
      case .recent: addRecent()
      }
      let leaves = values.filter { !used.contains($0.name) }
      return try Model(
        description: ModelDescription(
          name: "random", version: "1", inputs: inputs, nodes: nodes,
          outputs: leaves.map { .init(name: $0.name) }),
        tensors: TensorFile(bytes: TensorFile.serialize(tensors)))
    }

    mutating func number(_ range: ClosedRange<Int>) -> Int { .random(in: range, using: &noise) }
    mutating func size() -> Int {
      [1, 2, 3, 5, 8, 15, 16, 17, 20, 33].randomElement(using: &noise)!
    }
    mutating func chance(_ one: Int) -> Bool { number(1...one) == 1 }

    mutating func value(
      sequence: Bool? = nil, size: Int? = nil, steps: String? = nil
    ) -> Value? {
      values.filter {
        (sequence == nil || $0.isSequence == sequence) && (size == nil || $0.size == size)
          && (steps == nil || !$0.isSequence || $0.steps == steps)
      }.randomElement(using: &noise)
    }

    mutating func tensor(_ name: String, _ shape: [Int]) {
      tensors.append((name, shape, noise.floats(shape.reduce(1, *), scale: 0.5)))
    }

    mutating func node(
      _ name: String, _ op: ModelDescription.Op, _ arguments: [Value?], isSequence: Bool,
      size: Int, steps: String? = nil, weights: String? = nil, isMasked: Bool? = nil
    ) {
      var (op, mask) = (op, String?.none)
      if let place = op.maskedInput, let masked = arguments[place], masked.isSequence,
        isMasked ?? chance(5)
      {
        mask = addMask("\(name)m", masked)
        if chance(2) { op = op.zeroingMasked }
      }
      nodes.append(
        .init(
          name: name, op: op, inputs: arguments.map { $0?.name }, weights: weights, mask: mask))
      for case let argument? in arguments {
        used.insert(argument.name)
        // A final state leads back to its network.
        used.insert(String(argument.name.prefix { $0 != "." }))
      }
      let sequence = arguments.lazy.compactMap { $0 }.first(where: \.isSequence)
      values.append(
        Value(
          name: name, isSequence: isSequence, size: size, steps: steps ?? sequence?.steps ?? "x"))
    }

    /// Says of some of a sequence's steps that they don't count.
    mutating func addMask(_ name: String, _ masked: Value) -> String {
      if masked.steps == "x", chance(2), inputs.contains(where: { $0.name == "ids" }) {
        nodes.append(.init(name: name, op: .mask(), inputs: ["ids"]))
        return name
      }
      tensor("\(name)l.weight", [1, masked.size])
      nodes.append(.init(name: "\(name)l", op: .linear, inputs: [masked.name]))
      nodes.append(.init(name: name, op: .relu, inputs: ["\(name)l"]))
      return name
    }

    mutating func addInputs(hasOneAxis: Bool) {
      let (features, vectors) = (number(0...2), number(0...1))
      for index in 0..<features {
        let size = size()
        let axis = !hasOneAxis && index > 0 && chance(3) ? "other" : nil
        inputs.append(
          .init(
            name: "x\(index)",
            kind: .features(
              size: size, mean: chance(2) ? nil : noise.floats(size),
              scale: chance(2) ? nil : noise.floats(size).map { abs($0) + 0.5 }), axis: axis))
        values.append(
          Value(name: "x\(index)", isSequence: true, size: size, steps: axis ?? "x"))
      }
      if features == 0 || chance(2) {
        let (ids, size) = (number(1...9), size())
        inputs.append(.init(name: "ids", kind: .tokens(size: ids, vocabulary: nil)))
        tensor("e.weight", [ids, size])
        nodes.append(.init(name: "e", op: .embedding, inputs: ["ids"]))
        values.append(Value(name: "e", isSequence: true, size: size))
      }
      for index in 0..<vectors {
        let size = size()
        inputs.append(.init(name: "v\(index)", kind: .vector(size: size)))
        values.append(Value(name: "v\(index)", isSequence: false, size: size))
      }
    }

    mutating func addNode(_ name: String) {
      let any = value()!
      let sequence = value(sequence: true)!
      switch number(0...20) {
      case 20: addStepChange(name, sequence)
      case 0...2, 16...19: addNetwork(name, sequence)
      case 3: addLinear(name, any, size: size())
      case 4:
        let ops: [ModelDescription.Op] = [
          .sigmoid, .tanh, .relu, .softmax, .logSoftmax, .l2Norm(epsilon: 1e-12),
          .layerNorm(epsilon: 1e-5), .affine(scale: [0.5], shift: [1]),
        ]
        node(
          name, ops.randomElement(using: &noise)!, [any], isSequence: any.isSequence,
          size: any.size)
      case 5 where inputs.contains { $0.name == "ids" }: addBag(name)
      case 5, 6:
        let ops: [ModelDescription.Op] = [.last, .first, .mean, .max, .sum, .last]
        node(
          name, ops.randomElement(using: &noise)!, [sequence], isSequence: false,
          size: sequence.size)
      case 7:
        let others = (0..<number(1...3)).map { _ in
          value(sequence: any.isSequence, steps: any.steps)!
        }
        node(
          name, .concat, [any] + others, isSequence: any.isSequence,
          size: others.reduce(any.size) { $0 + $1.size })
      case 8:
        let other = value(sequence: any.isSequence, size: any.size, steps: any.steps)!
        let ops: [ModelDescription.Op] = [
          .add, .multiply, .subtract, .minimum, .maximum,
        ]
        node(
          name, ops.randomElement(using: &noise)!, [any, other], isSequence: any.isSequence,
          size: any.size)
      case 9: addBroadcast(name, any)
      case 10: addSelection(name, any)
      case 11: addFunction(name, any)
      case 12: addFrame(name, any)
      case 13, 14: addOverTime(name, sequence)
      default:
        addLinear("\(name)s", sequence, size: 1)
        let weighed = value(sequence: true, steps: sequence.steps)!
        node(
          name, .softmaxSum, [values.last!, weighed],
          isSequence: false, size: weighed.size)
      }
    }

    /// What needs no later step.
    mutating func addStreamed(_ name: String) {
      let x = value(sequence: true)!
      let (kernel, stride, dilation) = (number(1...4), number(1...3), number(1...2))
      let span = (kernel - 1) * dilation + 1
      let paddings: [StepKernel.Padding] = [.causal, .explicit(before: span - 1, after: 0)]
      let padding = paddings.randomElement(using: &noise)!
      let steps = stride == 1 ? x.steps : name
      switch number(0...11) {
      case 0...2:
        tensor("\(name).weight", [3, x.size, kernel])
        node(
          name, .conv(padding: padding, stride: stride, dilation: dilation), [x],
          isSequence: true, size: 3, steps: steps)
      case 3 where chance(2):
        addImage(name, x, kernel: kernel, padding, stride, dilation, steps: steps)
      case 3:
        node(
          name,
          .maxPool(kernel: kernel, stride: stride, padding: padding, dilation: dilation),
          [x], isSequence: true, size: x.size, steps: steps)
      case 4:
        node(
          name,
          .averagePool(
            kernel: kernel, stride: stride,
            padding: padding == .causal ? .causal : .explicit(before: kernel - 1, after: 0),
            countPadding: chance(2)),
          [x], isSequence: true, size: x.size, steps: steps)
      case 5 where nodes.count(where: { $0.op.name == "repeat_steps" }) < 4:
        node(
          name, .repeatSteps(times: number(2...3)), [x], isSequence: true, size: x.size,
          steps: name)
      case 6...8:
        let network = RandomNetwork(
          [.lstm(LSTMOp()), .gru(GRUOp()), .rnn(RNNOp()), .mlstm(MLSTMOp())]
            .randomElement(using: &noise)!,
          inputSize: x.size, hiddenSize: size(), layers: number(1...2))
        for (part, shape) in network.tensors { tensor("\(name).\(part)", shape) }
        node(name, network.op, [x], isSequence: true, size: network.outputSize)
      case 9:
        let other = value(sequence: true, steps: x.steps)!
        node(name, .concat, [x, other], isSequence: true, size: x.size + other.size)
      default:
        let ops: [ModelDescription.Op] = [.last, .first, .mean, .max, .sum]
        node(
          name, ops.randomElement(using: &noise)!, [x], isSequence: false, size: x.size,
          isMasked: chance(2))
      }
    }

    mutating func addMaskedAttention() {
      let size = size()
      inputs.append(
        .init(name: "s", kind: .features(size: size, mean: nil, scale: nil), axis: "source"))
      let keys = Value(name: "s", isSequence: true, size: size, steps: "source")
      let query = value(sequence: chance(3) ? false : true) ?? value()!
      tensor("attended.weight", [query.size, size])
      node(
        "attended", .attention(score: .bilinear, scale: 0.3), [query, keys],
        isSequence: query.isSequence, size: size, isMasked: true)
    }

    mutating func addMaskedKernels() {
      let x = value(sequence: true, steps: "x")!
      let paddings: [StepKernel.Padding?] = [.same, .causal, .explicit(before: 1, after: 1)]
      tensor("c.weight", [3, x.size, 3])
      node(
        "c", .conv(padding: paddings.randomElement(using: &noise)!, stride: number(1...3)), [x],
        isSequence: true, size: 3, steps: "c", isMasked: true)
      for (name, isLargest) in [("largest", true), ("mean", false)] {
        let (padding, stride) = (paddings.randomElement(using: &noise)!, number(1...3))
        node(
          name,
          isLargest
            ? .maxPool(kernel: 3, stride: stride, padding: padding)
            : .averagePool(
              kernel: 3, stride: stride, padding: padding, countPadding: chance(2)),
          [x], isSequence: true, size: x.size, steps: name, isMasked: true)
      }
    }

    mutating func addRecent() {
      let x = value(sequence: true)!
      let network = RandomNetwork(
        .mlstm, inputSize: x.size, hiddenSize: size(), layers: 2, directions: number(1...2))
      for (name, shape) in network.tensors { tensor("m.\(name)", shape) }
      node(
        "m", .mlstm, [x], isSequence: true, size: network.directions * network.outputSize)
      let like = value(sequence: true)!
      node(
        "f", .cropOrPad(align: [nil, .centre, .end].randomElement(using: &noise)!),
        [values.last!, like], isSequence: true, size: values.last!.size, steps: like.steps)
    }

    /// What the ids of a sequence come to.
    mutating func addBag(_ name: String) {
      let (ids, size) = (inputs.first { $0.name == "ids" }!.kind.size, size())
      let mode: EmbeddingBagOp.Mode? = [nil, .sum, .max].randomElement(using: &noise)!
      var weights: Value?
      if mode == .sum, chance(2) {
        addLinear("\(name)s", value(sequence: true, steps: "x")!, size: 1)
        weights = values.last
        used.insert("\(name)s")
      }
      tensor("\(name).weight", [ids, size])
      nodes.append(
        .init(
          name: name,
          op: .embeddingBag(mode: mode, padding: chance(2) ? number(0...ids - 1) : nil),
          inputs: ["ids"] + (weights.map { [$0.name] } ?? [])))
      values.append(Value(name: name, isSequence: false, size: size))
    }

    /// Values of any forms that fit.
    mutating func addBroadcast(_ name: String, _ any: Value) {
      let steps = any.isSequence ? any.steps : value(sequence: true)!.steps
      let fitting = values.filter {
        ($0.size == any.size || $0.size == 1) && (!$0.isSequence || $0.steps == steps)
      }
      let others = (0..<2).map { _ in fitting.randomElement(using: &noise)! }
      let isSequence = any.isSequence || others.contains(where: \.isSequence)
      let ops: [ModelDescription.Op] = [.add, .multiply, .minimum, .where, .concat]
      let op = ops.randomElement(using: &noise)!
      node(
        name, op, [any] + others, isSequence: isSequence,
        size: op == .concat ? others.reduce(any.size) { $0 + $1.size } : any.size)
    }

    /// Some elements of a value.
    mutating func addSelection(_ name: String, _ any: Value) {
      let stride = number(1...3)
      let start = number(0...any.size - 1)
      switch number(0...2) {
      case 0:
        node(
          name, .slice(start: start, stride: stride), [any], isSequence: any.isSequence,
          size: (any.size - start + stride - 1) / stride)
      case 1:
        let indices = (0..<number(1...4)).map { _ in number(0...any.size - 1) }
        node(name, .gather(indices), [any], isSequence: any.isSequence, size: indices.count)
      default:
        node(
          name, .transpose(rows: divisor(of: any.size)), [any], isSequence: any.isSequence,
          size: any.size)
      }
    }

    mutating func divisor(of size: Int) -> Int {
      (1...size).filter { size.isMultiple(of: $0) }.randomElement(using: &noise)!
    }

    /// A convolution over steps and elements.
    mutating func addImage(
      _ name: String, _ x: Value, kernel: Int, _ padding: StepKernel.Padding?, _ stride: Int,
      _ dilation: Int, steps: String
    ) {
      let channels = divisor(of: x.size)
      let (groups, length) = (divisor(of: channels), x.size / channels)
      let (width, frameStride) = (number(1...length), number(1...2))
      tensor("\(name).weight", [2 * groups, channels / groups, kernel, width])
      node(
        name,
        .conv2D(
          padding: padding, stride: stride, dilation: dilation, framePadding: [1, 0],
          frameStride: frameStride, groups: groups), [x], isSequence: true,
        size: 2 * groups * ((length + 1 - width) / frameStride + 1), steps: steps)
    }

    mutating func addFunction(_ name: String, _ any: Value) {
      let channels = divisor(of: any.size)
      let ops: [ModelDescription.Op] = [
        .square, .abs, .sin, .cos, .expm1, .silu, .selu, .clip(min: -1, max: 0.5), .rmsNorm(),
        .batchNorm(),
        .groupNorm(groups: channels), .prelu, .lookup,
      ]
      let op = ops.randomElement(using: &noise)!
      switch op.name {
      case "lookup":
        tensor("\(name).weight", [3, 2])
        node(
          "\(name)i", .clip(min: 0, max: 2.5), [any], isSequence: any.isSequence, size: any.size)
        return node(
          name, op, [values.last], isSequence: any.isSequence, size: 2 * any.size)
      case "rms_norm": tensor("\(name).weight", [any.size])
      case "prelu", "group_norm": tensor("\(name).weight", [channels])
      case "batch_norm":
        tensor("\(name).running_mean", [channels])
        tensors.append(
          ("\(name).running_var", [channels], noise.floats(channels).map { abs($0) + 0.1 }))
      default: break
      }
      node(name, op, [any], isSequence: any.isSequence, size: any.size)
    }

    /// What a step is made of lies around it.
    mutating func addOverTime(_ name: String, _ sequence: Value) {
      switch number(0...4) {
      case 1:
        let query = chance(4) ? value(sequence: false) ?? sequence : sequence
        let isBilinear = chance(4)
        let keys =
          value(sequence: true, size: isBilinear ? nil : query.size)
          ?? value(sequence: true, steps: sequence.steps)!
        let values = value(sequence: true, steps: keys.steps)!
        let fits = keys.size == query.size && !isBilinear
        if !fits { tensor("\(name).weight", [query.size, keys.size]) }
        node(
          name,
          .attention(
            score: fits ? chance(2) ? .additive : nil : .bilinear, scale: 0.5,
            isCausal: query.isSequence && keys.steps == query.steps && chance(2)),
          [query, keys, values], isSequence: query.isSequence, size: values.size)
      case 0:
        node(
          name, chance(3) ? .reverse : .shift(steps: number(-2...3)), [sequence], isSequence: true,
          size: sequence.size)
      default:
        let (groups, outputs) = (divisor(of: sequence.size), number(1...5))
        tensor("\(name).weight", [outputs * groups, sequence.size / groups, number(1...4)])
        if chance(2) { tensor("\(name).bias", [outputs * groups]) }
        node(
          name,
          .conv(padding: chance(3) ? .same : nil, dilation: number(1...3), groups: groups),
          [sequence], isSequence: true, size: outputs * groups)
      }
    }

    /// Other steps than the input has.
    mutating func addStepChange(_ name: String, _ given: Value) {
      // Of a few steps, no more may be taken away.
      let sequence = given.steps.hasSuffix("few") ? value(sequence: true, steps: "x")! : given
      let (kernel, stride) = (number(1...4), number(1...3))
      let paddings: [StepKernel.Padding?] = [
        .same, .valid, .causal, .explicit(before: kernel / 2, after: (kernel - 1) / 2),
        .explicit(before: kernel - 1, after: 0), nil,
      ]
      let padding = paddings.randomElement(using: &noise)!
      let op: ModelDescription.Op
      switch number(0...8) {
      case 8: return addImage(name, sequence, kernel: kernel, padding, stride, 1, steps: name)
      case 7:
        let like = value(sequence: true)!
        return node(
          name, .cropOrPad(align: [nil, .centre, .end].randomElement(using: &noise)!),
          [given, like], isSequence: true, size: given.size, steps: like.steps)
      case 0:
        tensor("\(name).weight", [3, sequence.size, kernel])
        op = .conv(padding: padding, stride: stride, dilation: number(1...2))
      case 1: op = .maxPool(kernel: kernel, stride: stride, padding: padding, ceil: chance(2))
      case 2:
        op = .averagePool(
          kernel: kernel, stride: stride, padding: padding, ceil: chance(2),
          countPadding: chance(2) ? chance(2) : nil)
      case 3:
        if let vector = value(sequence: false) {
          let like = chance(2) ? value(sequence: true) : nil
          return node(
            name, .repeat(steps: like == nil ? number(3...6) : nil),
            [vector] + (like.map { [$0] } ?? []), isSequence: true, size: vector.size,
            steps: like?.steps ?? "\(name) few")
        }
        op = .repeatSteps(times: number(1...3))
      case 4:
        op = [
          .sliceSteps(start: number(0...2), end: chance(2) ? -number(1...2) : nil, stride: stride),
          .sliceSteps(start: -number(2...3), end: chance(2) ? -1 : nil),
          .sliceSteps(start: number(0...1), end: number(2...4)),
        ].randomElement(using: &noise)!
      default:
        op = .padSteps(
          before: number(0...2), after: number(0...2),
          mode: [nil, .edge, .reflect].randomElement(using: &noise)!, value: 0.5)
      }
      node(
        name, op, [sequence], isSequence: true, size: op.name == "conv" ? 3 : sequence.size,
        steps: op.name == "slice_steps" ? "\(name) few" : name)
    }

    /// A kernel over the elements of each row.
    mutating func addFrame(_ name: String, _ any: Value) {
      let channels = divisor(of: any.size)
      let length = any.size / channels
      switch number(0...3) {
      case 0:
        let (outputs, kernel, stride) = (number(1...5), number(1...length), number(1...2))
        tensor("\(name).weight", [outputs, channels, kernel])
        tensor("\(name).bias", [outputs])
        node(
          name, .conv1D(stride: stride, padding: [1, 0]), [any], isSequence: any.isSequence,
          size: outputs * ((length + 1 - kernel) / stride + 1))
      case 1:
        node(
          name, .pad(channels: channels, before: length - 1, after: length / 2, mode: .reflect),
          [any], isSequence: any.isSequence,
          size: channels * (2 * length - 1 + length / 2))
      default:
        let kernel = number(1...length)
        let op: ModelDescription.Op =
          chance(2)
          ? .maxPool1D(channels: channels, kernel: kernel)
          : .averagePool1D(channels: channels, kernel: kernel)
        node(
          name, op, [any], isSequence: any.isSequence, size: channels * (length / kernel))
      }
    }

    /// What stands before the names of a node's tensors: its own name, and of one node nothing.
    mutating func prefix(_ name: String) -> String {
      guard !hasBareNode, chance(6) else { return "\(name)." }
      hasBareNode = true
      return ""
    }

    mutating func addLinear(_ name: String, _ input: Value, size: Int) {
      let prefix = prefix(name)
      tensor("\(prefix)weight", [size, input.size])
      if chance(2) { tensor("\(prefix)bias", [size]) }
      node(
        name, .linear, [input], isSequence: input.isSequence, size: size,
        weights: prefix.isEmpty ? "" : nil)
    }

    mutating func addNetwork(_ name: String, _ input: Value) {
      let (layers, directions) = (number(1...3), chance(3) ? 2 : 1)
      let startsFromWeights = chance(4)
      let network = RandomNetwork(
        noise.recurrentOp(directions: directions), inputSize: input.size, hiddenSize: size(),
        layers: layers, directions: directions, projectionSize: chance(3) ? size() : nil,
        hasPeepholes: chance(4), hasInitialState: startsFromWeights,
        biases: [["bias_ih", "bias_hh"], ["bias"], []].randomElement(using: &noise)!)
      let (output, hidden) = (network.outputSize, network.hiddenSize)
      let prefix = prefix(name)
      for (name, shape) in network.tensors { tensor("\(prefix)\(name)", shape) }
      var arguments: [Value?] = [input]
      if !startsFromWeights, chance(3), let start = value(sequence: false) {
        let (hasHidden, hasCell) =
          network.hasCell
          ? [(true, false), (false, true), (true, true)].randomElement(using: &noise)!
          : (true, false)
        if hasHidden {
          addLinear("\(name)h", start, size: layers * directions * output)
          arguments.append(values.last!)
        }
        if hasCell {
          if !hasHidden { arguments.append(nil) }
          addLinear("\(name)c", start, size: layers * directions * hidden)
          arguments.append(values.last!)
        }
      }
      node(
        name, network.op, arguments, isSequence: true, size: directions * output,
        weights: prefix.isEmpty ? "" : nil)
      if chance(3) {
        // What nothing reads is no output of its own.
        let (state, size) =
          !network.hasCell || chance(2) ? ("hidden", output) : ("cell", hidden)
        let layer = chance(2) ? "" : ".\(number(0...layers - 1))"
        values.append(
          Value(
            name: "\(name).\(state)\(layer)", isSequence: false, size: directions * size))
        addLinear("\(name)f", values.last!, size: self.size())
      }
    }
  }
}

extension ModelDescription.Op {
  /// A recurrent network's with zeros at masked steps; other ops as they are.
  fileprivate var zeroingMasked: Self {
    if var op = definition as? LSTMOp {
      op.maskedOutput = .zero
      return .lstm(op)
    }
    if var op = definition as? GRUOp {
      op.maskedOutput = .zero
      return .gru(op)
    }
    if var op = definition as? RNNOp {
      op.maskedOutput = .zero
      return .rnn(op)
    }
    if var op = definition as? MLSTMOp {
      op.maskedOutput = .zero
      return .mlstm(op)
    }
    return self
  }
}
