/// Which tensors share their elements: an operator in place (`z[:, :, 0] = 0`, `z.mul_(2)`) changes a tensor, those of which it
/// is a view, and those that are views of it. A source graph has values that never change, so that later uses read others.
struct AtenStorage {
  /// How a view lies in the tensor that it is made of.
  enum Place {
    case whole
    /// All elements in the same order.
    case reshaped
    /// The axes in another order.
    case moved([Int])
    /// A part of an axis, whose bounds may be computed from sizes. `end` is none for a single index, which is no axis of the view.
    case part(axis: Int, start: AtenValue, end: AtenValue)
    /// Elements as far apart along an axis, as of `x[::2]`.
    case strided
    /// A view or a copy, or one that can't be written through.
    case unknown
  }

  struct View {
    let parent: AtenTensor
    let place: Place
    /// Whether it is one of the parts of a split, of which none has elements of another.
    var isSplit = false
  }

  /// The most views of views that are written through.
  private static let maxDepth = 64

  private var count = 0
  private(set) var views: [Int: View] = [:]
  private var children: [Int: [Int]] = [:]
  private(set) var tensors: [Int: AtenTensor] = [:]
  /// The values that replaced tensors which were written to.
  private(set) var written: [Int: AtenTensor] = [:]
  /// For tensors of which a view was written to: that view.
  private(set) var pending: [Int: Int] = [:]
  /// Tensors that share elements with one that was written to, in a way that is not followed.
  private var stale: Set<Int> = []

  /// Those of them of which every other element, or one in more, may have been written.
  private var strided: Set<Int> = []

  func isStrided(_ tensor: AtenTensor) -> Bool { strided.contains(tensor.storage) }

  func isStale(_ tensor: AtenTensor) -> Bool { stale.contains(tensor.storage) }

  /// The tensor with a storage of its own, as a view of `parent` if there is one.
  mutating func added(_ tensor: AtenTensor, _ view: View? = nil) -> AtenTensor {
    count += 1
    var tensor = tensor
    tensor.storage = count
    tensors[count] = tensor
    if let view {
      views[count] = view
      children[view.parent.storage, default: []].append(count)
    }
    return tensor
  }

  /// Records that what a tensor holds is `value` from now on.
  mutating func replace(_ tensor: AtenTensor, by value: AtenTensor) {
    written[tensor.storage] = value
    pending[tensor.storage] = nil
  }

  /// Records that an operator in place made `value` of a tensor.
  mutating func write(_ tensor: AtenTensor, _ value: AtenTensor) {
    guard views[tensor.storage] != nil || children[tensor.storage] != nil else {
      replace(tensor, by: value)
      return
    }
    var followed: Set<Int> = [tensor.storage]
    var child = tensor.storage
    var isStrided = false
    while let view = views[child] {
      if case .strided = view.place { isStrided = true }
      if case .unknown = view.place { break }
      if isStrided { break }
      guard followed.count < Self.maxDepth else { break }
      followed.insert(view.parent.storage)
      pending[view.parent.storage] = child
      child = view.parent.storage
    }
    replace(tensor, by: value)
    var seen: Set<Int> = [tensor.storage]
    var rest = [(storage: tensor.storage, isOfSplit: false)]
    while let next = rest.popLast() {
      for child in children[next.storage] ?? []
      where !(next.isOfSplit && views[child]?.isSplit == true) && seen.insert(child).inserted {
        rest.append((child, false))
      }
      if let view = views[next.storage], seen.insert(view.parent.storage).inserted {
        rest.append((view.parent.storage, view.isSplit))
      }
    }
    stale.formUnion(seen.subtracting(followed))
    if isStrided { strided.formUnion(seen.subtracting(followed)) }
  }
}

extension AtenTranslation {
  /// Operators whose names end as those in place do, and which change no elements.
  private static let harmless: Set<String> = [
    "requires_grad_", "detach_", "dropout_", "feature_dropout_", "alpha_dropout_", "squeeze_",
    "unsqueeze_", "transpose_",
  ]

  private static func isInPlace(_ name: String) -> Bool {
    name.hasSuffix("_") && !name.hasPrefix("_") && !harmless.contains(name)
  }

  /// The call with the present values of its tensors.
  mutating func current(_ call: AtenCall) throws(ImportError) -> AtenCall {
    try call.mapping { value throws(ImportError) in try current(value, call) }
  }

  private mutating func current(
    _ value: AtenValue, _ call: AtenCall
  ) throws(ImportError) -> AtenValue {
    switch value {
    case .tensor(let tensor): return .tensor(try current(tensor, call))
    case .list(let values):
      var list: [AtenValue] = []
      for value in values { list.append(try current(value, call)) }
      return .list(list)
    default: return value
    }
  }

  /// The present value of a tensor, after all operators in place.
  mutating func current(_ tensor: AtenTensor, _ call: AtenCall) throws(ImportError) -> AtenTensor {
    var tensor = tensor
    while true {
      if let value = storage.written[tensor.storage] {
        tensor = value
      } else if let child = storage.pending[tensor.storage], let view = storage.views[child],
        let part = storage.tensors[child]
      {
        let own = try current(part, call)
        let value = storage.added(try AtenWrites.put(&self, own, into: tensor, view.place, call))
        storage.replace(tensor, by: value)
      } else if storage.isStale(tensor) {
        throw call.failure(
          "a tensor of which a view was changed in place",
          because: "what it holds then isn't followed",
          instead: storage.isStrided(tensor)
            ? Remedy.strided
            : "write the model without operators in place (z = z * 2 for z.mul_(2)), or export with torch.export.export(…).run_decompositions({})"
        )
      } else {
        return tensor
      }
    }
  }

  /// The result of a call with the storage of its tensors; of one in place, what it wrote is recorded.
  mutating func tracked(_ value: AtenValue, of call: AtenCall) -> AtenValue {
    switch value {
    case .tensor(let tensor):
      guard case .tensor(let source)? = call.value(0, "self") else {
        return .tensor(storage.added(tensor))
      }
      let place = AtenWrites.place(call, source)
      let result = storage.added(tensor, place.map { .init(parent: source, place: $0) })
      if Self.isInPlace(call.name) { storage.write(source, result) }
      return .tensor(result)
    case .list(let values):
      var list: [AtenValue] = []
      for value in values {
        guard case .tensor(let tensor) = value else {
          list.append(value)
          continue
        }
        if case .tensor(let source)? = call.value(0, "self"), AtenWrites.splits.contains(call.name)
        {
          let view = AtenStorage.View(parent: source, place: .unknown, isSplit: true)
          list.append(.tensor(storage.added(tensor, view)))
        } else {
          list.append(.tensor(storage.added(tensor)))
        }
      }
      return .list(list)
    default: return value
    }
  }
}
