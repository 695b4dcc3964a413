/// What a model with a fixed number of steps makes of that number: it holds for sequences of that number alone.
enum KerasLength {
  /// What a refusal says to do where the number of steps has to be known.
  static func remedy(steps: String = "steps") -> String {
    "give the input a fixed number of steps, as can be done behind training too: x = keras.Input((\(steps), size)); "
      + "keras.Model(x, model(x)).save('model.keras')"
  }

  /// Records that the model holds for its number of steps alone, if a number that a value is multiplied with or divided by is
  /// that: a mean that is written as a sum and a division.
  static func check(
    _ translation: inout KerasTranslation, _ number: Float, of value: KerasValue,
    for call: KerasCall
  ) {
    guard let origin = value.origin, let steps = translation.inputs[origin].fixedSteps, steps > 2,
      [Float(steps), 1 / Float(steps)].contains(number)
    else { return }
    keep(
      &translation, origin,
      "\(call.layer.place) computes with \(number), which comes from the steps of the model's input"
    )
  }

  /// Records that a layer works on all steps of a value side by side: others than the model was made for would be left out.
  static func keep(
    _ translation: inout KerasTranslation, _ value: KerasValue, steps: Int, in layer: KerasLayer
  ) {
    let what = "\(layer.place) works on all \(steps) steps side by side"
    guard let origin = value.origin, !value.isStepped else { return translation.note(what) }
    keep(&translation, origin, what)
  }

  /// Records that a layer names more steps than the model has: it takes all of them.
  static func keep(
    _ translation: inout KerasTranslation, _ value: KerasValue, steps: Int, of more: String,
    in layer: KerasLayer
  ) {
    let what = "\(layer.place) takes \(more) of \(steps) steps, which are all"
    guard let origin = value.origin, !value.isStepped else { return translation.note(what) }
    keep(&translation, origin, what)
  }

  /// Records that sequences of an input must have the number of steps that it was made for, and why.
  static func keep(_ translation: inout KerasTranslation, _ origin: Int, _ what: String) {
    guard let steps = translation.inputs[origin].fixedSteps else { return translation.note(what) }
    translation.inputs[origin].keepSteps()
    translation.note(
      "\(what): sequences of exactly \(steps) steps are taken (\"steps\" in model.json)")
  }
}
