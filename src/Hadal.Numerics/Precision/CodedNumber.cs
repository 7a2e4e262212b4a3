namespace Hadal.Numerics;

/// <summary>What an operand of a product is rounded to.</summary>
public enum CodedNumber
{
    /// <summary>bfloat16, ties to even, subnormals as zero.</summary>
    BFloat16,

    /// <summary>E4M3: 4 exponent and 3 fraction bits, largest value 448, saturating (report section 3.3.2).</summary>
    E4M3,

    /// <summary>E5M2: 5 exponent and 2 fraction bits, largest value 57,344, saturating.</summary>
    E5M2,

    /// <summary>E5M6: 5 exponent and 6 fraction bits, largest value 65,024, saturating: for keeping an activation (report section 3.3.3).</summary>
    E5M6,
}
