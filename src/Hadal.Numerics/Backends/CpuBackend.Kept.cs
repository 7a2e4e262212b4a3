using Hadal.Numerics.Kernels;

namespace Hadal.Numerics;

/// <content>Activations that are kept in fewer bits until the backward.</content>
public sealed unsafe partial class CpuBackend
{
    /// <inheritdoc/>
    public void Encode(Tensor x, OperandCoding coding, Tensor codes, Tensor scales)
    {
        var rows = Kept(x, coding, codes, scales, nameof(Encode));
        var job = new EncodeJob { Rows = rows };
        _team.Run(Items(x.Rows, rows.RowsPerItem), ref job);
    }

    /// <inheritdoc/>
    public void Decode(Tensor codes, Tensor scales, OperandCoding coding, Tensor x)
    {
        var rows = Kept(x, coding, codes, scales, nameof(Decode));
        var job = new DecodeJob { Rows = rows };
        _team.Run(Items(x.Rows, rows.RowsPerItem), ref job);
    }

    private KeptRows Kept(Tensor x, in OperandCoding coding, Tensor codes, Tensor scales, string operation)
    {
        var (type, shape, scaleShape) = coding.Kept(x.Rows, x.Columns);
        Require(codes.Type == type, operation, codes, $"has to be {type}");
        RequireShape(codes, shape.Rows, shape.Columns);
        if (coding.IsScaled) RequireShape(scales, scaleShape.Rows, scaleShape.Columns);
        return new KeptRows
        {
            X = Rows(x),
            Coding = coding,
            Codes = Address(codes),
            CodeStride = (nint)codes.RowStride * type.SizeOf(),
            Scales = coding.IsScaled ? Rows(scales).Pointer : null,
            ScaleStride = coding.IsScaled ? (nint)scales.RowStride : 0,
            RowsPerItem = RowsPerItem(x.Rows, x.Columns),
        };
    }
}
