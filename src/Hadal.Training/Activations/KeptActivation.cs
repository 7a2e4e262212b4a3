using Hadal.Numerics;
using Hadal.Training.Layers;

namespace Hadal.Training.Activations;

/// <summary>An activation that waits for the backward in the form that its kind has; nothing where it is computed again.</summary>
internal readonly struct KeptActivation
{
    private readonly Tensor _values, _scales;
    private readonly OperandCoding? _form;
    private readonly long _columns;

    private KeptActivation(Tensor values, Tensor scales, OperandCoding? form, long columns) => (_values, _scales, _form, _columns) = (values, scales, form, columns);

    /// <summary>Whether there is nothing.</summary>
    public bool IsEmpty => _values.IsEmpty;

    /// <summary>Keeps a tensor.</summary>
    /// <param name="c">The micro-batch.</param>
    /// <param name="x">From <see cref="MicroBatchContext.MatrixFor"/> with the same form, so that FP32 need not be copied.</param>
    /// <param name="form">Its form.</param>
    /// <param name="isKept">False keeps nothing: it will be computed again.</param>
    public static KeptActivation Of(MicroBatchContext c, Tensor x, OperandCoding? form, bool isKept = true)
    {
        if (!isKept || !c.KeepsActivations) return default;
        return form is { } coding ? Encode(c, x, coding, c.Arena) : new KeptActivation(x, default, null, x.Columns);
    }

    /// <summary>Keeps a tensor, which itself becomes what is kept: whoever uses it next and the backward see the same values.</summary>
    public static KeptActivation Rounding(MicroBatchContext c, Tensor x, OperandCoding? form, bool isKept = true)
    {
        if (form is not { } coding) return Of(c, x, form, isKept);
        isKept &= c.KeepsActivations;
        var kept = Encode(c, x, coding, isKept ? c.Arena : c.Scratch);
        kept.RestoreTo(c, x);
        return isKept ? kept : default;
    }

    /// <summary>The values that a tensor has after it was kept, in temporary memory.</summary>
    public static Tensor Rounded(MicroBatchContext c, Tensor x, OperandCoding? form)
    {
        if (form is { } coding) Encode(c, x, coding, c.Scratch).RestoreTo(c, x);
        return x;
    }

    /// <summary>The values: where they are if they are FP32, else in temporary memory.</summary>
    public Tensor Restore(MicroBatchContext c)
    {
        if (_form is null) return _values;
        var x = c.Matrix(_values.Rows, _columns);
        RestoreTo(c, x);
        return x;
    }

    private void RestoreTo(MicroBatchContext c, Tensor x) => c.Backend.Decode(_values, _scales, _form!.Value, x);

    private static KeptActivation Encode(MicroBatchContext c, Tensor x, OperandCoding coding, Arena arena)
    {
        var (type, codeShape, scaleShape) = coding.Kept(x.Rows, x.Columns);
        var codes = arena.Allocate(type, codeShape);
        var scales = arena.Allocate(DType.F32, scaleShape);
        c.Backend.Encode(x, coding, codes, scales);
        return new KeptActivation(codes, scales, coding, x.Columns);
    }
}
