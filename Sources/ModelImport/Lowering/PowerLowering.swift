import Glibc
import ModelFormat

/// Powers.
enum PowerLowering {
  /// The largest exponent that is carried as products.
  private static let maxExponent = 64

  static func power(_ l: inout Lowering, _ node: SourceNode) throws(ImportError) -> CarriedValue {
    if case .constant(let base) = try l.required(node, 0) { return try raised(&l, node, base) }
    let value = try l.carried(node, 0)
    guard case .constant(let exponent) = try l.required(node, 1), exponent.isUniform else {
      throw node.refusal(
        "exponents that differ", because: "one exponent can be carried",
        instead: "where x is above 0, write x ** y as torch.exp(y * torch.log(x))")
    }
    let wide = try Layout.expanded(&l, value, to: exponent.shape, node)
    let number = exponent[0]
    if number == 0.5 { return Layout.map(&l, wide, .sqrt, node) }
    if number == -0.5 { return try inverse(&l, Layout.map(&l, wide, .sqrt, node), node) }
    if number.rounded() == number, abs(number) <= Double(maxExponent), number != 0 {
      let power = product(&l, wide, Int(abs(number)), node)
      return number < 0 ? try inverse(&l, power, node) : power
    }
    // NaN below 0, as PyTorch's and ONNX's.
    guard number.isFinite, number.rounded() != number else {
      throw node.refusal(
        "the exponent \(number)",
        because:
          "whole numbers from -\(maxExponent) to \(maxExponent) except 0, and fractions, can be carried"
      )
    }
    let log = Layout.map(&l, wide, .log, node)
    return Layout.map(&l, Arithmetic.affine(&l, log, scale: [number], node), .exp, node)
  }

  /// A constant base: exp(x · ln base).
  private static func raised(
    _ l: inout Lowering, _ node: SourceNode, _ base: SourceTensor
  ) throws(ImportError) -> CarriedValue {
    let value = try l.carried(node, 1)
    guard base.isUniform, base[0] > 0 else {
      throw node.refusal("the base \(base.first)", because: "one base above 0 can be carried")
    }
    let wide = try Layout.expanded(&l, value, to: base.shape, node)
    return Layout.map(&l, Arithmetic.affine(&l, wide, scale: [log(base[0])], node), .exp, node)
  }

  /// A whole power, by squares.
  private static func product(
    _ l: inout Lowering, _ value: CarriedValue, _ exponent: Int, _ node: SourceNode
  ) -> CarriedValue {
    var (square, rest, result) = (value, exponent, CarriedValue?.none)
    while true {
      if rest & 1 == 1 {
        result = result.map { Arithmetic.product(&l, $0, square, node) } ?? square
      }
      rest >>= 1
      if rest == 0 { return result ?? value }
      square = Layout.map(&l, square, .square, node)
    }
  }

  private static func inverse(
    _ l: inout Lowering, _ value: CarriedValue, _ node: SourceNode
  ) throws(ImportError) -> CarriedValue {
    try Arithmetic.combining(
      &l, [Arithmetic.constant(&l, [1], like: value, node), value], .divide, node)
  }
}
