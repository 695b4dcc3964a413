/// Layers that compute with 16 bits: `mixed_float16`, `mixed_bfloat16`. A folder computes with 32.
enum KerasPrecision {
  static func check(_ translation: inout KerasTranslation, _ layer: KerasLayer) {
    guard let policy = policy(of: layer), policy.contains("float16") else { return }
    translation.note(
      "Keras computes this model with 16 bits (\(policy)), the folder with 32: its answers differ from Keras's by what Keras rounds, "
        + (policy.contains("bfloat16")
          ? "which may be some thousandths" : "which may be some ten-thousandths"))
  }

  /// The name of the layer's policy: a text, or an object that has it.
  private static func policy(of layer: KerasLayer) -> String? {
    layer["dtype"]?.string ?? layer["dtype"]?["config"]?["name"]?.string
  }
}
