import Scheduling

extension Sessions {
  /// The refusal to report to a client of `model`. An unknown session is reported as gone if a former model of this name had
  /// it.
  package func refusal(
    _ refusal: SessionRefusal, of model: ServedModel, among models: ModelSnapshot
  ) -> SessionRefusal {
    let id: String
    switch refusal {
    case .unknown(let unknown), .unknownSource(let unknown, _): id = unknown
    default: return refusal
    }
    let former = models.former.filter { $0.name == model.name }
    let isOfFormer =
      !former.isEmpty
      && withTable { table in
        former.contains { table.has(.init(model: $0.fingerprint.text, id: id)) }
      }
    return isOfFormer ? .gone(id, .otherModel) : refusal
  }
}
