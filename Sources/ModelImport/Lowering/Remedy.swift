/// Advice for operators that can't be imported.
enum Remedy {
  static let incomplete =
    "the file may be cut off: compare its size with that of its source"

  static let unknownOperator =
    "compute it before the model, where it is of the inputs alone, and give the results as inputs; or leave it out of the export, where it is last"

  static let ofTheLength =
    "divide values of the steps by the length, and no weights (y * w / n for y * (w / n)); or export with an example of one length, without dynamic axes: sequences of that length are then taken; or leave what is computed from the length (such as positions) out of the export"

  static let exportedProgram =
    "torch.export.save(torch.export.export(model.eval(), (x,)), 'model.pt2')"

  /// Exporters write a model differently, so that what one file is refused for may stand in another as it is carried.
  static let otherThanONNX =
    "another file of the model may be carried: \(exportedProgram), or \(traced), with an example of one sequence of 8 steps or more; \(kerasFile)"

  static let otherThanTorch =
    "another file of the model may be carried: torch.onnx.export(model.eval(), (x,), 'model.onnx', dynamo=True), or with dynamo=False, or \(exportedProgram), or \(traced), with an example of one sequence of 8 steps or more"

  static let otherThanKeras =
    "another file of the model may be carried: model.export('model.onnx', format='onnx'), or of Keras 2 \(byTf2onnx)"

  static let byTf2onnx =
    "tf2onnx.convert.from_keras(model, opset=15, output_path='model.onnx')"

  static let traced = "torch.jit.save(torch.jit.trace(model.eval(), (x,)), 'model.pt')"

  static let whereStepsMeet =
    "only attention compares steps with steps, of dot products or of sums through a tanh"

  static let additive =
    "attention that is additive is an op, \"attention\" with \"score\": \"additive\": save the weights, torch.save(model.state_dict(), 'weights.pt'), write the graph as model.json (FORMAT.md, \"From PyTorch\") and give it with --graph model.json"

  /// What puts a conditional random field behind a network that is imported without it.
  ///
  /// - Parameter file: the field's.
  static func field(in file: String) -> String {
    let (modules, tensors) =
      file.hasSuffix(".npz")
      ? ("numpy, ", "numpy.load('\(file)').items()")
      : file.hasSuffix(".safetensors")
        ? ("", "s.load_file('\(file)').items()")
        : ("torch, ", "((k, v.numpy()) for k, v in torch.load('\(file)').items())")
    return
      "the transitions of a conditional random field go beside the imported network's weights: "
      + "import \(modules)safetensors.numpy as s; p = 'FOLDER/model.safetensors'; "
      + "s.save_file({**s.load_file(p), **{'crf.' + k.split('.')[-1]: v for k, v in \(tensors)}}, p), "
      + "where they are transitions, start_transitions and end_transitions (FORMAT.md, \"crf\"), and "
      + "\"decode\": { \"op\": \"crf\", \"weights\": \"crf\" } into the output in FOLDER/model.json"
  }

  static let dynamicAxes = "export to ONNX with dynamic axes"

  static let olderExporter =
    "export with dynamo=False: behind nn.LSTM, nn.GRU and nn.RNN the newer exporter writes its example's length with dynamic axes too"

  static let sequenceOfOwn =
    "export it with an example of one sequence; or with dynamic axes whose steps have one name in all inputs: dynamic_axes={'x': {0: 'batch', 1: 'steps'}, 'mask': {0: 'batch', 1: 'steps'}}"

  static let channelsOfOwn =
    "export it with an example of one sequence; or with dynamic axes for the batch and the steps: dynamic_axes={'x': {0: 'batch', 2: 'steps'}} of an input [batch, elements, steps]"

  static let weightsByTheLength =
    "export to ONNX with dynamic axes, where values of the steps may be divided by the length, but weights may not (y * w / n for y * (w / n))"

  /// Keras's own export to ONNX has a network as a loop, or as its steps one by one.
  static let kerasFile = "of a Keras model import the .keras file itself"

  static let quantizedOperators =
    "quantise with quant_format=QuantFormat.QDQ, whose operators are those of the model with numbers rounded around them"

  /// The weights alone, of a graph whose cells are loops.
  static let frozenWeights =
    "of a graph of TensorFlow 1, whose layers are in no file, save its constants by PyTorch's names and in its layouts, "
    + "numpy.savez('weights.npz', **{'rnn.weight_ih_l0': …}), and give the graph with them: --graph model.json"

  static let loop =
    "export without a loop: in PyTorch torch.onnx.export(model, args, 'model.onnx', dynamo=True) of a module with torch.nn.LSTM; \(kerasFile); of JAX save the weights by PyTorch's names and in its layouts, numpy.savez('weights.npz', **{'rnn.weight_ih_l0': …}), and give the graph with them: --graph model.json"

  static let scan =
    "of TensorFlow 1's dynamic_rnn the cells are carried as they are without sequence_length (each sequence is answered at its own length), cell_clip, num_proj and layer normalisation; \(loop)"

  static let steps =
    "the newer exporter writes nn.RNN, and loops over x.unbind(1), with their steps as a list: export with dynamo=False, or save a .pt2 with \(exportedProgram)"

  static let unrolled =
    "write the loop as a layer (LSTM, GRU or RNN) and export again; nn.RNN itself is such a loop to torch.onnx.export(…, dynamo=True): export it with dynamo=False, as TorchScript or as a .pt2; \(kerasFile)"

  static let tooManyNodes =
    "a loop over the steps, written in Python, is a copy of its body for each of them: write it as a layer (nn.LSTM, nn.GRU, nn.RNN), or export with an example of fewer steps; \(kerasFile)"

  static let severalIDs =
    "give each its own input of whole numbers, [batch, steps]: forward(self, first, second) in place of ids[..., 0] and ids[..., 1]; where a network reads them in turn, as the letters of a word, export it as a model of its own, whose answers are an input of floats of this one"

  static let withinStep =
    "where a network reads the parts of each step in turn, as the bands of a spectrum or the letters of a word, export it as a model of its own, whose x is [batch, parts, size]: what it answers for each step is an input of floats of this one, in its place"

  static let parts =
    "\(exportedProgram) has the parts of its example's length, which are carried for that"

  static let squeezed =
    "leave the squeeze of that axis out of forward: PyTorch's does nothing where the axis has another size; or save a .pt2, \(exportedProgram), of which such a squeeze is left out here too"

  static let withoutControl =
    "torch.jit.trace(model.eval(), (x,)) writes the same without it, where it does not depend on the input"

  static let product =
    "of numbers above 0 a product is the exponential of a sum of logarithms, torch.exp(torch.log(p).sum(1)), which is carried"

  static let products =
    "write it as products of two tensors with one axis that both have and the result has not, as torch.einsum('bti,ij->btj', x, w): steps are multiplied with steps as attention alone"

  static let expanded =
    "leave the expand out, as arithmetic repeats an axis of size 1 by itself (x + self.b for x + self.b.expand_as(x)); or export without dynamic axes"

  static let rounding =
    "round before the model, and let it take the whole numbers as an input of their own: ids as int64, others as floats"

  static let sorting =
    "leave topk out of the export where it is last (answers are the scores); in place of topk(1) take max or argmax; \(decoderStep)"

  static let decoderStep =
    "of a decoder that reads the tokens it chose, in a loop, export one step: a module whose forward(self, token, hidden, encoder_outputs) returns the scores and the next hidden; the encoder is a model of its own"

  static let transposedConvolution =
    "train the model with nn.Upsample(scale_factor=…) and nn.Conv1d in its place, which are carried; where the result meets steps from before the pools, export without dynamic axes, for sequences of the example's length"

  static let writing =
    "save it with \(exportedProgram), x an example of the sequences' length: that graph is carried where a whole range is written (z[:, 3] = y, z[:, 2:5] = y), and not with a stride (z[:, ::2] = y); \(traced) writes one for other lengths too"

  static let writingLast =
    "write with bounds below 0, as z[:, -1] = y, and save it with \(traced)"

  static let projection =
    "an LSTM with a projection (proj_size) has no form in ONNX: torch.export.save(torch.export.export(model.eval(), (x,)), 'm.pt2') writes one that is carried"

  static let strided =
    "no export of an assignment with a stride is carried: put the elements together with torch.stack((a, b), -1).flatten(-2), or multiply by a mask of zeros and ones"

  static let oneLength =
    "export it with an example of one length, without dynamic axes (torch.jit.trace in place of torch.jit.script): sequences of that length are then taken"

  static let stepNumbers =
    "\(stepTable); or \(oneLength)"

  static let stepWeights =
    "train the model with a norm that has no weights for each step, as nn.LayerNorm(size) over the elements of a step"

  static let stepTable =
    "export with dynamic axes, where numbers that grow by the same at every step are carried, and others as rows of a table that is a buffer of the module (table[:, :x.size(1)])"

  static let repeatedSteps =
    "repeat the steps with nn.Upsample(scale_factor=n) along the steps, which is carried for one length: export without dynamic axes"

  static let windows =
    "for parts of n steps take x.unfold(1, n, n), which has an axis of n last, and save it as TorchScript or with \(exportedProgram), where unfold is carried; where a network reads every n-th step, call it for each group: torch.cat([rnn(x[:, i::n])[1][-1] for i in range(n)], 1)"

  static let dilated =
    "where a network reads every n-th step, as a dilated one does, call it for each group in place of a batch of the groups, and put the answers in turn: torch.stack([rnn(x[:, i::n])[0] for i in range(n)], 2).flatten(1, 2); one such layer is carried, ahead of layers that read each step, and not several"

  static let computedSizes =
    "if the sizes are those of the export's example, which the newer exporter writes of nn.LSTM, nn.GRU and nn.RNN with dynamic axes too: export without a dynamic axis for the steps; or, where forward has the numbers, let it compute them (x.size(0), x.size(1), -1), and export with dynamic axes for the batch and the steps"

  /// What to do about a reshape that does not keep the steps together.
  static func parts(of l: Lowering) -> String {
    let isOpen = l.lengths.values.contains { $0.role == .time && $0.isOpen }
    return l.isFromPyTorch && isOpen ? computedSizes : windows
  }

  static let stepsOfTheExample =
    "a pool or a matrix over all steps has as many as the export's example: in place of a pool take y.max(1)[0] or y.mean(1), which are carried for any number; or export without a dynamic axis for the steps, for sequences of the example's length"

  static let moreSteps =
    "the exporter's example has one step, with which the file computes: export with 8 steps or more"

  /// How to export what a node does for sequences of other lengths.
  static func otherLengths(
    _ node: SourceNode, or usual: String = dynamicAxes
  ) -> String {
    if node.op.hasSuffix("Normalization") { return stepWeights }
    if node.op == "Split" || node.attributes["parts"] != nil {
      return "export with an example of their length"
    }
    return node.isOfWrite ? writingLast : usual
  }

  /// Where an input of several axes may be read with other steps than meant.
  static func spectrogram(_ origin: Atom.Origin?) -> String? {
    origin.map { origin in
      "if another axis of the input \"\(origin.input)\" is the steps, give the sizes of the others: --shape '\(origin.input)=0,1,64,0' has 0 for the batch and the steps, behind 64 bands (of TorchScript and .pt2; an ONNX file is exported with these two as dynamic axes)"
    }
  }

  static let lastStep =
    "where they choose one step of each sequence, write y.gather(1, n.view(-1, 1, 1).expand(-1, 1, y.size(2))).squeeze(1); of the last step that is no padding: each sequence is answered at its own length, so choose by -1 (y[:, -1]) or take the final state; or let forward have the lengths as an input, forward(self, x, lengths), which is then left out"

  static let rowsOfBatch =
    "where it is arange(batch), which chooses a step of each sequence as in y[arange(batch), n]: write y.gather(1, n.view(-1, 1, 1).expand(-1, 1, y.size(2))).squeeze(1); else \(batchOfOne)"

  static let learnedQuery =
    "where that is attention whose query is a parameter: one that is made of the input is carried, such as x[:, -1:], and so is a pool by weights of a layer, (torch.softmax(linear(x), 1) * x).sum(1)"

  static let batchFirst =
    "\(batchOfOne); where that axis is the steps, let the batch come first: batch_first=True"

  static let knownSizes =
    "\(exportedProgram) without dynamic shapes writes those of its example, for sequences of that length"

  static let reparametrized =
    "put the weights together before the export: torch.nn.utils.parametrize.remove_parametrizations(layer, 'weight_hh_l0'), or torch.nn.utils.prune.remove(layer, 'weight_hh_l0')"

  static let ownInputs =
    "give sequences that are read apart an input each, as forward(self, first, second), and leave their order in a batch to the caller"

  static let batchOfOne =
    "export it with an example of one sequence, without a dynamic axis for the batch (torch.jit.trace in place of torch.jit.script): each sequence is then answered as if it were alone in its batch"

  static let ownFolders =
    "import each file into a folder of its own: the decoder's then takes a token, its states and the encoder's answers, and gives the next states, which its caller keeps"

  static let attentionWeights =
    "let forward return the result of the attention alone: with need_weights=False, as a tensor"

  /// The advice on an operator that is not known.
  static func unknown(_ op: String) -> String {
    if let remedy = operators[op] { return remedy }
    if op.hasPrefix("com.microsoft.") { return optimised }
    return op.contains("mkldnn") ? optimisedByPyTorch : unknownOperator
  }

  private static let optimised =
    "import the file as it was before ONNX Runtime optimised it; or let it be written with graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC, which keeps ONNX's own operators"

  private static let optimisedByPyTorch =
    "save the model before torch.jit.optimize_for_inference, whose operators are of one CPU's library: \(traced)"

  /// The advice by operator.
  static let operators: [String: String] = [
    "Loop": loop, "Scan": scan, "SequenceInsert": loop, "SequenceEmpty": loop,
    "SplitToSequence": steps,
    "SequenceAt": loop, "ConcatFromSequence": loop,
    "Einsum": products, "TopK": sorting, "ReduceProd": product,
    "ConvTranspose": transposedConvolution,
    "Round": rounding, "Floor": rounding, "Ceil": rounding,
    "ScatterND": writing, "ScatterElements": writing,
    "STFT": "compute the spectrum before the model, and export what follows it",
    "QLinearMatMul": quantizedOperators, "QLinearConv": quantizedOperators,
    "com.microsoft.QGemm": quantizedOperators, "com.microsoft.QLinearAdd": quantizedOperators,
    "com.microsoft.QLinearMul": quantizedOperators,
    "com.microsoft.QLinearSigmoid": quantizedOperators,
    "NonZero": "export the model without packed sequences or boolean indexing",
  ]
}
