import Inference

/// Refuses a `CAROUSEL_ISA` that is no instruction set of this CPU's, which would be passed over otherwise.
func checkInstructionSet(_ requested: String? = Kernels.requested) throws(CarouselError) {
  guard let requested, !requested.isEmpty else { return }
  let present = Kernels.InstructionSet.allCases.filter { Kernels($0) != nil }.map(\.rawValue)
  guard present.contains(requested) else {
    throw .badSetting(
      name: "CAROUSEL_ISA", source: .environment, found: requested,
      expected: "what this CPU has: \(present.joined(separator: ", "))")
  }
}
