/// `pack_padded_sequence`, `pad_packed_sequence` and the sorting for these. A folder answers each sequence by itself, so the
/// order of a batch does not matter.
enum AtenPacking {
  static func translate(_ t: inout AtenTranslation, _ call: AtenCall) throws(ImportError)
    -> AtenValue?
  {
    if isPermutation(call.value(0)) {
      switch call.name {
      case "to", "contiguous", "cpu", "clone", "detach", "empty_like", "zeros_like", "scatter_",
        "scatter", "argsort":
        return .permutation
      case "numel", "size", "len": return .other("how many sequences there are")
      default: return nil
      }
    }
    if case .packed(let x, _, _)? = call.value(0) {
      // The steps of all sequences in one axis, with their elements.
      switch call.name {
      case "dim": return .int(2)
      case "size" where try call.int(1, "dim", default: 0) == -1:
        return t.size(of: x, axis: -1, call)
      default: break
      }
    }
    switch call.name {
    case "sort":
      // sort(lengths, dim, descending): returns the lengths unchanged, as the order makes no difference.
      guard case .tensor(let lengths)? = call.value(0), lengths.isWhole, lengths.rank == 1 else {
        throw call.failure(
          "something else than the lengths of sequences", because: "no op sorts",
          instead: "leave what sorts out of the export")
      }
      t.noteSorted(lengths)
      return .list([.tensor(lengths), .permutation])
    case "index_select":
      return isPermutation(call.value(2, "index")) ? call.value(0, "self") : nil
    case "index":
      let indices = call.list(1, "indices") ?? []
      return indices.count == 1 && isPermutation(indices[0]) ? call.value(0, "self") : nil
    case "_pack_padded_sequence":
      let x = try call.tensor(0, "input")
      guard let lengths = call.value(1, "lengths") else { return nil }
      if case .tensor(let tensor) = lengths { t.notePacked(tensor) }
      let isFirst = call.bool(2, "batch_first")
      return .list([
        .packed(x, lengths: lengths, isBatchFirst: isFirst), .batchSizes(x, isBatchFirst: isFirst),
      ])
    case "_pad_packed_sequence":
      guard case .packed(let x, let lengths, let isFirst)? = call.value(0, "data") else {
        return nil
      }
      guard isFirst == call.bool(2, "batch_first") else {
        return .list([.tensor(AtenShapes.transposed(&t, x, [1, 0, 2], call)), lengths])
      }
      return .list([.tensor(x), lengths])
    default: return nil
    }
  }

  private static func isPermutation(_ value: AtenValue?) -> Bool {
    if case .permutation? = value { true } else { false }
  }
}
