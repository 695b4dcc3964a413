import Inference

/// Throws if `CAROUSEL_ISA` names an instruction set that this CPU lacks; otherwise it would be ignored in silence.
func checkInstructionSet(_ requested: String? = Kernels.requested) throws(CarouselError) {
  guard let requested, !requested.isEmpty else { return }
  let present = Kernels.InstructionSet.allCases.filter { Kernels($0) != nil }.map(\.rawValue)
  guard present.contains(requested) else {
    throw .badSetting(
      name: "CAROUSEL_ISA", source: .environment, found: requested,
      expected: "what this CPU has: \(present.joined(separator: ", "))")
  }
}
