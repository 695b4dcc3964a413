import JSON
import ModelFormat

/// Parts of a value: `x[:, -1]`, `x[..., 2:]`, `x[:, :, None]`, `keras.ops.take`, `split`.
enum KerasSlicing {
  /// One of the expressions in the brackets of `x[…]`.
  enum Key: Equatable {
    case index(Int)
    case slice(Int?, Int?, Int?)
    case newAxis
    case ellipsis

    static let all = Key.slice(nil, nil, nil)

    /// The places among `size` that the key names, and whether the axis stays.
    func places(of size: Int, in layer: KerasLayer) throws(ImportError) -> [Int] {
      switch self {
      case .index(let index):
        let place = index < 0 ? size + index : index
        guard (0..<size).contains(place) else {
          throw layer.refusal("found the element \(index) of \(size)")
        }
        return [place]
      case .slice(let start, let end, let step):
        let stride = step ?? 1
        let limits = stride > 0 ? 0...size : -1...(size - 1)
        func place(_ index: Int) -> Int {
          min(max(index < 0 ? size + index : index, limits.lowerBound), limits.upperBound)
        }
        let first = start.map(place) ?? (stride > 0 ? 0 : size - 1)
        let end = end.map(place) ?? (stride > 0 ? size : -1)
        guard stride != 0 else { throw layer.refusal("found a slice with a step of 0") }
        let places = Array(Swift.stride(from: first, to: end, by: stride))
        guard !places.isEmpty else {
          throw layer.refusal("found no elements of \(size) in a slice")
        }
        return places
      case .newAxis, .ellipsis: return Array(0..<size)
      }
    }
  }

  static let item: KerasFunctions.Function = { translation, function throws(ImportError) in
    let value = try function.value()
    let call = function.call
    let given = try keys(function)
    guard given.first == .all || given.first == .ellipsis else {
      throw call.layer.refusal("found part of the batch, expected all of it: x[:, …]")
    }
    // An ellipsis stands for all axes that have no key, the batch's among them.
    let named = given.count { $0 != .newAxis && $0 != .ellipsis }
    guard named <= value.axes.count + 1 else {
      throw call.layer.refusal("found \(named) keys for the sizes \(value.shape) and the batch")
    }
    let rest = Array(repeating: Key.all, count: value.axes.count + 1 - named)
    var keys: [Key] = []
    for key in given { if key == .ellipsis { keys += rest } else { keys.append(key) } }
    if !given.contains(.ellipsis) { keys += rest }
    guard keys.first == .all else {
      throw call.layer.refusal("found part of the batch, expected all of it: x[:, …]")
    }
    return try part(of: value, keys: Array(keys.dropFirst()), &translation, call)
  }

  /// The keys in the brackets, the batch's first.
  private static func keys(_ function: KerasFunctionCall) throws(ImportError) -> [Key] {
    let value = function.constant("key", position: 1) ?? function.constant("slice_spec")
    let items = value?["items"]?.elements ?? value?.elements ?? value.map { [$0] } ?? []
    var keys: [Key] = []
    for item in items {
      let parts = item["config"] ?? item
      if let index = item.integer {
        keys.append(.index(index))
      } else if item == .null {
        keys.append(.newAxis)
      } else if item["class_name"]?.string == "__ellipsis__" || item.string == "Ellipsis" {
        keys.append(.ellipsis)
      } else if parts.members?.contains(where: { $0.key == "start" || $0.key == "stop" }) == true {
        keys.append(
          .slice(parts["start"]?.integer, parts["stop"]?.integer, parts["step"]?.integer))
      } else {
        throw function.call.layer.refusal(
          "found \(item.text) in the brackets, expected a number or a slice")
      }
    }
    return keys
  }

  /// The part that the keys name, one for each axis and others for new axes.
  static func part(
    of given: KerasValue, keys: [Key], _ translation: inout KerasTranslation, _ call: KerasCall
  ) throws(ImportError) -> KerasValue {
    let value =
      keys.allSatisfy { $0 == .all || $0 == .newAxis }
      ? given : try translation.spreadOut(given, for: call)
    var result = value
    var axes: [KerasValue.Axis] = []
    // The places that stay of each axis of elements.
    var chosen: [[Int]] = []
    var isPart = false
    var rest = value.axes[...]
    for key in keys {
      guard key != .newAxis else {
        axes.append(.size(1))
        continue
      }
      guard let axis = rest.popFirst() else {
        throw call.layer.refusal("found more keys than the sizes \(value.shape)")
      }
      switch axis {
      case .steps(let count):
        let (part, stays) = try steps(of: result, key, count: count, &translation, call)
        result = part
        if let stays { axes.append(stays) }
      case .size(let size):
        let places = try key.places(of: size, in: call.layer)
        chosen.append(places)
        isPart = isPart || places != Array(0..<size)
        if case .index = key { continue }
        axes.append(.size(places.count))
      }
    }
    if isPart {
      result = result.with(
        name: try translation.add(
          elements(chosen, of: value.sizes), [result], for: call, part: "elements"))
    }
    result.axes = axes
    if value.axes.count == 1, let reread = translation.reread(value, as: result.axes) {
      return reread
    }
    return result
  }

  /// The op that takes these places of each axis.
  private static func elements(_ places: [[Int]], of sizes: [Int]) -> ModelDescription.Op {
    if sizes.count == 1, let first = places[0].first, let last = places[0].last, first <= last {
      let stride = places[0].count > 1 ? places[0][1] - first : 1
      if stride > 0, places[0] == Array(Swift.stride(from: first, through: last, by: stride)) {
        return .slice(start: first, end: last + 1, stride: stride)
      }
    }
    var indices = [0]
    for (places, size) in zip(places, sizes) {
      indices = indices.flatMap { index in places.map { index * size + $0 } }
    }
    return .gather(indices)
  }

  /// A step or some of the steps, and the axis that is left of them.
  private static func steps(
    of value: KerasValue, _ key: Key, count: Int?, _ translation: inout KerasTranslation,
    _ call: KerasCall
  ) throws(ImportError) -> (KerasValue, KerasValue.Axis?) {
    func add(_ op: ModelDescription.Op, _ value: KerasValue, _ part: String) throws(ImportError)
      -> KerasValue
    {
      var result = value.with(name: try translation.add(op, [value], for: call, part: part))
      result.mask = nil
      return result
    }
    switch key {
    case .all, .newAxis, .ellipsis: return (value, .steps(count))
    case .index(let index):
      if let count { _ = try key.places(of: count, in: call.layer) }
      if index == 0 { return (try add(.first, value, "step"), nil) }
      var range = value
      if index != -1, index + 1 != count {
        range = try add(.sliceSteps(start: index, end: index + 1), value, "range")
      }
      return (try add(.last, range, "step"), nil)
    case .slice(nil, nil, -1): return (try add(.reverse, value, "range"), .steps(count))
    case .slice(let start, let end, let stride):
      guard stride ?? 1 > 0 else {
        throw call.layer.refusal(
          "found steps \(stride ?? 1) apart, expected 1 or more",
          remedy: "turn all steps round first: x[:, ::-1]")
      }
      let left = try count.map { count throws(ImportError) in
        try key.places(of: count, in: call.layer).count
      }
      var start = start
      if let count, let first = start, first < -count {
        // Keras takes what is there.
        KerasLength.keep(
          &translation, value, steps: count, of: "the last \(-first)", in: call.layer)
        start = nil
      }
      let range = try add(
        .sliceSteps(start: start ?? 0, end: end == count ? nil : end, stride: stride ?? 1), value,
        "range")
      // Of sequences of any length, those that have the steps which the bounds name.
      let (first, last) = (start ?? 0, end ?? (start ?? 0 < 0 ? 0 : nil))
      let named = last.flatMap {
        stride ?? 1 == 1 && (first < 0) == ($0 < 0 || end == nil) ? $0 - first : nil
      }
      return (range, .steps(left ?? named))
    }
  }

  // MARK: take, split

  static let take: KerasFunctions.Function = { translation, function throws(ImportError) in
    let value = try function.value()
    let call = function.call
    guard let axis = function.constant("axis", position: 2)?.integer,
      let indices = try function.integers("indices", position: 1), !indices.isEmpty
    else { throw call.layer.refusal("found no axis, or indices that are no numbers of the file") }
    let place = axis < 0 ? value.axes.count + axis : axis - 1
    guard value.axes.indices.contains(place) else {
      throw call.layer.refusal("axis: found \(axis) of the sizes \(value.shape)")
    }
    var keys = Array(repeating: Key.all, count: value.axes.count)
    let isOne = function.constant("indices", position: 1)?.integer != nil
    if isOne {
      keys[place] = .index(indices[0])
      return try part(of: value, keys: keys, &translation, call)
    }
    guard case .size(let size) = value.axes[place] else {
      throw call.layer.refusal("indices: found several of the steps, expected one, or a slice")
    }
    let places = try indices.map { index throws(ImportError) in
      try Key.index(index).places(of: size, in: call.layer)[0]
    }
    return try arranged(value, place, places, &translation, call)
  }

  /// The value with these places of one axis of elements, in this order.
  static func arranged(
    _ given: KerasValue, _ place: Int, _ places: [Int], _ translation: inout KerasTranslation,
    _ call: KerasCall
  ) throws(ImportError) -> KerasValue {
    let value = try translation.spreadOut(given, for: call)
    var chosen: [[Int]] = []
    for (index, axis) in value.axes.enumerated() {
      guard case .size(let size) = axis else { continue }
      chosen.append(index == place ? places : Array(0..<size))
    }
    guard chosen.reduce(1, { $0 * $1.count }) <= KerasLayer.maxSize else {
      throw call.layer.refusal("found more than \(KerasLayer.maxSize) elements")
    }
    var result = value.with(
      name: try translation.add(elements(chosen, of: value.sizes), [value], for: call))
    result.axes[place] = .size(places.count)
    return result
  }

  /// Each place of an axis by itself.
  static let unstack: KerasFunctions.ListFunction = { translation, function throws(ImportError) in
    let value = try function.value()
    let call = function.call
    let axis = function.constant("axis")?.integer ?? 0
    let place = axis < 0 ? value.axes.count + axis : axis - 1
    var count: Int?
    if value.axes.indices.contains(place) {
      count = if case .size(let size) = value.axes[place] { size } else { value.stepCount }
    }
    guard let count, count <= KerasTranslation.maxNodes else {
      throw call.layer.refusal(
        "axis: found \(axis) of the sizes \(value.shape), expected an axis of a fixed number of elements or steps, at most "
          + "\(KerasTranslation.maxNodes)")
    }
    var parts: [KerasValue] = []
    for index in 0..<count {
      var keys = Array(repeating: Key.all, count: value.axes.count)
      keys[place] = .index(index)
      parts.append(try part(of: value, keys: keys, &translation, call))
    }
    return parts
  }

  /// Equal parts of an axis of elements, or parts that begin at given places.
  static let split: KerasFunctions.ListFunction = { translation, function throws(ImportError) in
    let value = try function.value()
    let call = function.call
    let axis = function.constant("axis", position: 2)?.integer ?? 0
    let place = axis < 0 ? value.axes.count + axis : axis - 1
    let key = ["indices_or_sections", "num_or_size_splits"].first {
      function.constant($0) != nil
    }
    guard value.axes.indices.contains(place), case .size(let size) = value.axes[place],
      let key, let numbers = try function.integers(key)
    else {
      throw call.layer.refusal(
        "axis: found \(axis) of the sizes \(value.shape), expected an axis of elements")
    }
    var ends = numbers
    if function.constant(key)?.integer != nil {
      guard numbers[0] > 0, size % numbers[0] == 0 else {
        throw call.layer.refusal("found \(size) elements in \(numbers[0]) parts")
      }
      ends = (1...numbers[0]).map { $0 * (size / numbers[0]) }
    } else if key == "indices_or_sections" {
      ends.append(size)
    } else {
      ends = numbers.indices.map { numbers[...$0].reduce(0, +) }
    }
    var parts: [KerasValue] = []
    var start = 0
    for end in ends {
      guard start < end, end <= size else {
        throw call.layer.refusal("found parts that end at \(ends) of \(size) elements")
      }
      parts.append(try arranged(value, place, Array(start..<end), &translation, call))
      start = end
    }
    return parts
  }
}
