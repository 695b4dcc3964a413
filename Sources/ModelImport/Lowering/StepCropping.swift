import ModelFormat

/// Sequences of as many steps as each other in the exporter's example, as of a U-Net: where pools, strides and repetitions made the
/// steps of one, the folder's graph does not know it. There it is cropped to another, and sequences of the example's length
/// alone are taken.
enum StepCropping {
  /// The values of a node that combines their steps, each with as many as the others.
  static func cropped(
    _ l: inout Lowering, _ values: [CarriedValue], _ node: SourceNode
  ) throws(ImportError) -> [CarriedValue] {
    let sequences = values.filter { $0.form == .sequence && !$0.timeAtoms.isEmpty }
    guard sequences.count > 1, sequences.contains(where: isResized) else { return values }
    l.exampleSteps.meetsResized = true
    guard l.assumptions.cropsSteps else { return values }
    guard let like = sequences.first(where: { !isResized($0) }) ?? sequences.first,
      let time = like.timeAtoms.first, !time.isOpen,
      sequences.allSatisfy({ $0.timeAtoms == [time] })
    else {
      throw node.refusal(
        "\(values.map(\.shape)), steps beside others that were made of elements or have another number",
        because: "steps stand beside as many others",
        instead: Remedy.repeatedSteps)
    }
    ExampleLength.recordResized(&l, time, node)
    return values.map { value in
      guard value.form == .sequence, isResized(value), value.node != like.node else { return value }
      var result = value
      result.node = l.builder.emit(
        .cropOrPad(), [value.node, like.node], named: "\(node.outputs.first ?? node.name).cropped")
      result.axes = value.axes.map { $0 == [time] ? [time] : $0 }
      return result
    }
  }

  private static func isResized(_ value: CarriedValue) -> Bool {
    value.timeAtoms.contains(where: \.isDerived)
  }

  /// The error of axes that differ: steps that were resized, of an open number, fit each other in the example alone.
  static func refusal(
    _ axes: [[Atom]], _ refusal: ImportError
  ) -> ImportError {
    let times = axes.joined().filter { $0.role == .time }
    guard times.contains(where: \.isOpen), times.contains(where: \.isDerived) else {
      return refusal
    }
    let isOfElements = axes.contains { $0.count > 1 }
    var result = refusal
    result.remedy = result.remedy ?? (isOfElements ? Remedy.repeatedSteps : Remedy.oneLength)
    return result
  }
}

extension GraphTranslation {
  /// The folder of a translation; if its graph combines steps that were resized with others that it does not know to be as many,
  /// that of one in which they are cropped.
  func draft(of finished: FinishedGraph, named name: String) throws(ImportError) -> FolderDraft {
    let draft = try finished.draft(named: name)
    guard finished.meetsResizedSteps, !options.cropsSteps else { return draft }
    do { _ = try draft.model() } catch {
      guard case .differentSteps = error else { return draft }
      var cropping = self
      cropping.options.cropsSteps = true
      return try cropping.folder(named: name)
    }
    return draft
  }
}
