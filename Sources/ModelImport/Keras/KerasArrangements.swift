import ModelFormat

/// Functions that repeat values or put them in another order.
enum KerasArrangements {
  static let all: [String: KerasFunctions.Function] = [
    "flip": flip, "reverse": flip, "repeat": repeated, "tile": tiled, "stack": stacked,
    "swapaxes": swapped, "moveaxis": moved, "roll": rolled,
    "broadcast_to": broadcast,
  ]

  /// The index of an axis without the batch; nil for the batch or an axis that isn't there.
  private static func place(_ axis: Int, in count: Int) -> Int? {
    let place = axis < 0 ? count + axis : axis - 1
    return (0..<count).contains(place) ? place : nil
  }

  private static let flip: KerasFunctions.Function = { translation, function throws(ImportError) in
    let call = function.call
    let value = try function.value()
    guard case let places = try function.axes(of: value), places.count == 1, let place = places[0]
    else {
      throw call.layer.refusal(
        "axis: found none or several of the sizes \(value.shape), expected one")
    }
    guard case .size(let size) = value.axes[place] else {
      return try translation.map(.reverse, value, for: call)
    }
    return try KerasSlicing.arranged(
      value, place, Array((0..<size).reversed()), &translation, call)
  }

  private static let rolled: KerasFunctions.Function = {
    translation, function throws(ImportError) in
    let call = function.call
    let value = try function.value()
    guard let shift = function.constant("shift", position: 1)?.integer,
      let axis = function.constant("axis", position: 2)?.integer,
      let place = place(axis, in: value.axes.count)
    else {
      throw call.layer.refusal(
        "found no number or axis to roll by, of the sizes \(value.shape)",
        remedy: "name them: keras.ops.roll(x, 1, axis=1)")
    }
    guard case .size(let size) = value.axes[place] else {
      return try rolledSteps(value, by: shift, place, &translation, call)
    }
    let places = (0..<size).map { ((($0 - shift) % size) + size) % size }
    return try KerasSlicing.arranged(value, place, places, &translation, call)
  }

  /// The steps at one end before or behind the others.
  private static func rolledSteps(
    _ value: KerasValue, by given: Int, _ place: Int, _ translation: inout KerasTranslation,
    _ call: KerasCall
  ) throws(ImportError) -> KerasValue {
    var shift = given
    if let count = value.stepCount, count > 0 {
      shift %= count
      KerasLength.keep(&translation, value, steps: count, in: call.layer)
    } else if abs(shift) > 1 {
      throw call.layer.refusal(
        "found sequences of any length rolled by \(shift) steps, which a shorter one would be more than once",
        remedy: KerasLength.remedy())
    }
    if shift == 0 { return value }
    var keys = Array(repeating: KerasSlicing.Key.all, count: value.axes.count)
    var parts: [KerasValue] = []
    for (index, slice) in [KerasSlicing.Key.slice(-shift, nil, nil), .slice(nil, -shift, nil)]
      .enumerated()
    {
      var part = call
      part.name = "\(call.name).part.\(index)"
      keys[place] = slice
      parts.append(try KerasSlicing.part(of: value, keys: keys, &translation, part))
    }
    return try KerasJoinedSteps.joined(parts, axis: place, &translation, call)
  }

  /// Elements of an axis of 1, as often as the new size says.
  private static let broadcast: KerasFunctions.Function = {
    translation, function throws(ImportError) in
    var value = try function.value()
    let sizes = function.constant("shape", position: 1)?.openSizes ?? []
    guard sizes.count == value.axes.count + 1 else {
      throw function.call.layer.refusal(
        "found the sizes \(value.shape) made \(sizes.map { $0 ?? -1 }), expected as many axes")
    }
    for (place, size) in sizes.dropFirst().enumerated() {
      guard let size, size != 1, value.axes[place] == .size(1) else { continue }
      if value.isMask {
        value.axes[place] = .size(size)
      } else {
        value = try multiplied(size, value, place, isTiled: false, &translation, function.call)
      }
    }
    return value
  }

  private static let repeated: KerasFunctions.Function = {
    translation, function throws(ImportError) in
    let value = try function.value()
    guard let times = function.constant("repeats", position: 1)?.integer,
      let axis = function.constant("axis", position: 2)?.integer,
      let place = place(axis, in: value.axes.count)
    else {
      throw function.call.layer.refusal(
        "found no axis, or a number of repeats that is no number of the file")
    }
    return try multiplied(times, value, place, isTiled: false, &translation, function.call)
  }

  private static let tiled: KerasFunctions.Function = { translation, function throws(ImportError) in
    var value = try function.value()
    let call = function.call
    var numbers = try function.integers("repeats", position: 1)
    if numbers == nil { numbers = try function.integers("multiples", position: 1) }
    guard let numbers, numbers.count == value.axes.count + 1, numbers[0] == 1 else {
      throw call.layer.refusal(
        "found no number of repeats for each of the sizes \(value.shape), with 1 for the batch")
    }
    for (place, number) in numbers.dropFirst().enumerated() where number != 1 {
      value = try multiplied(number, value, place, isTiled: true, &translation, call)
    }
    return value
  }

  private static func multiplied(
    _ times: Int, _ given: KerasValue, _ place: Int, isTiled: Bool,
    _ translation: inout KerasTranslation, _ call: KerasCall
  ) throws(ImportError) -> KerasValue {
    guard (1...KerasLayer.maxSize).contains(times) else {
      throw call.layer.refusal("found \(times) repeats, expected 1 to \(KerasLayer.maxSize)")
    }
    switch given.axes[place] {
    case .steps(1?):
      // A step, as often as Keras's RepeatVector has it.
      let vector = given.with(
        name: try translation.add(.last, [given], for: call, part: "step"),
        axes: [.size(given.size)])
      return try KerasShapeLayers.steps(times, of: vector, &translation, call)
    case .size(1) where place == 0 && given.axes.count == 2 && given.stepAxis == nil:
      var vector = given
      vector.axes = [.size(given.size)]
      return try KerasShapeLayers.steps(times, of: vector, &translation, call)
    case .steps(let count):
      guard !isTiled else {
        throw call.layer.refusal("found sequences one behind the other, which is not carried")
      }
      let value = try translation.spreadOut(given, for: call)
      var result = value.with(
        name: try translation.add(.repeatSteps(times: times), [value], for: call))
      result.axes[place] = .steps(count.map { $0 * times })
      return result
    case .size(let size):
      guard size * times <= KerasLayer.maxSize else {
        throw call.layer.refusal("found \(size) elements \(times) times, too many")
      }
      let places = (0..<(size * times)).map { isTiled ? $0 % size : $0 / times }
      return try KerasSlicing.arranged(given, place, places, &translation, call)
    }
  }

  /// Values along a new axis of elements.
  private static let stacked: KerasFunctions.Function = {
    translation, function throws(ImportError) in
    let call = function.call
    let axis = try function.integers("axis", position: 1)?.first ?? 0
    let rank = (function.values.map(\.axes.count).max() ?? 0) + 1
    guard let place = place(axis, in: rank),
      function.values.allSatisfy({ $0.axes.count == rank - 1 })
    else { throw call.layer.refusal("axis: found \(axis) of values of \(rank) axes") }
    var values: [KerasValue] = []
    for value in function.values {
      var one = try translation.spreadOut(value, for: call)
      one.axes.insert(.size(1), at: place)
      values.append(one)
    }
    return try KerasMergeLayers.concatenated(values, axis: place + 1, &translation, call)
  }

  private static let swapped: KerasFunctions.Function = {
    translation, function throws(ImportError) in
    let value = try function.value()
    guard let first = function.constant("axis1", position: 1)?.integer,
      let second = function.constant("axis2", position: 2)?.integer,
      let one = place(first, in: value.axes.count), let other = place(second, in: value.axes.count)
    else {
      throw function.call.layer.refusal("found axes that are not of the sizes \(value.shape)")
    }
    var order = Array(value.axes.indices)
    order.swapAt(one, other)
    return try KerasShapeLayers.permuted(value, order, &translation, function.call)
  }

  private static let moved: KerasFunctions.Function = { translation, function throws(ImportError) in
    let value = try function.value()
    guard let source = try function.integers("source", position: 1),
      let target = try function.integers("destination", position: 2), source.count == 1,
      target.count == 1, let from = place(source[0], in: value.axes.count),
      let to = place(target[0], in: value.axes.count)
    else {
      throw function.call.layer.refusal("found axes that are not of the sizes \(value.shape)")
    }
    var order = Array(value.axes.indices)
    order.insert(order.remove(at: from), at: to)
    return try KerasShapeLayers.permuted(value, order, &translation, function.call)
  }
}
