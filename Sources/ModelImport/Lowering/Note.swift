/// Notes for the person.
enum Note {
  static let roundedActivations =
    "the file rounds what goes into products to 8 bits; the folder doesn't, so that its answers are nearer to those of the model before it was quantised"

  /// What is dropped at random in training is kept, as at inference.
  static func dropout(_ place: String, _ ratio: Double) -> String {
    "\(place) is dropout at work: the framework drops \(Float(ratio)) of the elements at random at every call, and the folder drops "
      + "none; call model.eval() before the export, and functional dropout with training=self.training"
  }
}
