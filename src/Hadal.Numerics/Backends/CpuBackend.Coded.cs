using Hadal.Numerics.Kernels;

namespace Hadal.Numerics;

/// <content>Products whose operands are rounded on the way (training in bfloat16 and FP8).</content>
public sealed unsafe partial class CpuBackend
{
    // Experts are coded together as far as this goes: codes and panels of a group should find their product still in the last-level cache.
    internal const long CodedBytesAtOnce = 16L << 20;
    private readonly NativeRoom _codedProducts = new(), _codedOperands = new(), _shortSums = new();

    /// <inheritdoc/>
    public void MatMul(Tensor a, bool transposeA, Tensor b, bool transposeB, Tensor c, ProductCoding coding, bool accumulate = false)
    {
        var products = Products(1);
        products[0] = Coded(new MatMulOperands(a, transposeA, b, transposeB, c, accumulate), nameof(MatMul));
        RunCoded(products, 1, coding);
    }

    /// <inheritdoc/>
    public void GroupedMatMul(Tensor x, Tensor offsets, Tensor w, bool transposeW, Tensor y, ProductCoding coding)
    {
        int experts = StackHeight(w, nameof(GroupedMatMul)), count = 0;
        int* bounds = Offsets(offsets, experts, x.Rows, nameof(GroupedMatMul));
        RequireShape(y, x.Rows, w.Shape[transposeW ? 1 : 2]);
        var products = Products(experts);
        for (int e = 0; e < experts; e++)
        {
            int rows = bounds[e + 1] - bounds[e];
            if (rows == 0) continue;
            products[count++] = Coded(new MatMulOperands(x.RowRange(bounds[e], rows), false, w.Slice(e), transposeW, y.RowRange(bounds[e], rows)), nameof(GroupedMatMul));
        }

        RunCoded(products, count, coding);
    }

    /// <inheritdoc/>
    public void GroupedMatMulWeightBackward(Tensor dy, Tensor x, Tensor offsets, Tensor dw, ProductCoding coding)
    {
        int experts = StackHeight(dw, nameof(GroupedMatMulWeightBackward)), count = 0;
        int* bounds = Offsets(offsets, experts, x.Rows, nameof(GroupedMatMulWeightBackward));
        var products = Products(experts);
        for (int e = 0; e < experts; e++)
        {
            int rows = bounds[e + 1] - bounds[e];
            if (rows == 0) continue;
            var operands = new MatMulOperands(dy.RowRange(bounds[e], rows), true, x.RowRange(bounds[e], rows), false, dw.Slice(e), true);
            products[count++] = Coded(operands, nameof(GroupedMatMulWeightBackward));
        }

        RunCoded(products, count, coding);
    }

    private CodedProduct* Products(int count) => (CodedProduct*)_codedProducts.Get(count * (nint)sizeof(CodedProduct));

    private static CodedProduct Coded(in MatMulOperands o, string operation)
    {
        Require(o.B.Type == DType.F32, operation, o.B, "has to be F32");
        var p = Problem(o, operation);
        return new CodedProduct
        {
            A = new OperandView { Pointer = p.A, Stride = p.Lda, IsTransposed = o.TransposeA, Rows = p.M, Depth = p.K },
            B = new OperandView { Pointer = (float*)p.B, Stride = p.Ldb, IsTransposed = !o.TransposeB, Rows = p.N, Depth = p.K },
            C = p.C,
            Ldc = p.Ldc,
            Accumulate = o.Accumulate,
        };
    }

    private void RunCoded(CodedProduct* products, int count, in ProductCoding coding)
    {
        if (coding.A.IsScaled != coding.B.IsScaled) throw new ArgumentException($"Of the operands {coding.A} and {coding.B} both have scales or none.", nameof(coding));
        if (coding.Accumulation != Accumulation.Full && !coding.A.IsScaled) throw new ArgumentException($"Sums of {coding.A} without scales are FP32.", nameof(coding));
        var format = FormatOf(coding);
        for (int first = 0; first < count;)
        {
            int group = 0;
            nint bytes = 0;
            for (; first + group < count; group++)
            {
                nint more = OperandBytes(products[first + group], format);
                if (group > 0 && bytes + more > CodedBytesAtOnce) break;
                bytes += more;
            }

            RunCodedGroup(products + first, group, bytes, format, coding);
            first += group;
        }
    }

    private void RunCodedGroup(CodedProduct* products, int count, nint bytes, in PanelFormat format, in ProductCoding coding)
    {
        int items = 0, deepest = 0, widest = 0;
        for (int i = 0; i < count; i++) (deepest, widest) = (Math.Max(deepest, products[i].A.Depth), Math.Max(widest, Math.Max(products[i].A.Rows, products[i].B.Rows)));
        nint scratch = (CodingJob.ScratchBytes(deepest, widest) + 63) / 64 * 64;
        nint startBytes = (count * sizeof(int) + 63) / 64 * 64;
        byte* room = _codedOperands.Get(bytes + startBytes + scratch * _team.Threads);
        int* starts = (int*)(room + scratch * _team.Threads);
        byte* at = (byte*)starts + startBytes;
        for (int i = 0; i < count; i++)
        {
            ref var product = ref products[i];
            var layout = new CodedLayout(format, CodedProduct.CodedDepth(product.A.Depth, format));
            product.Rows = layout.At(at, product.A.Rows);
            at += layout.Bytes(product.A.Rows);
            product.Panels = at;
            at += CodedProduct.ItemsOf(product.B) * (nint)format.PanelBytes(CodedProduct.CodedDepth(product.A.Depth, format));
            product.ScalesA = RoomForScales(coding.A, product.A, ref at);
            product.ScalesB = RoomForScales(coding.B, product.B, ref at);
        }

        FindSharedScales(products, starts, count, coding.A, isRight: false);
        FindSharedScales(products, starts, count, coding.B, isRight: true);
        for (int i = 0; i < count; i++)
        {
            starts[i] = items;
            items += products[i].Items(coding, format);
        }

        var job = new CodingJob { Products = products, Starts = starts, Count = count, Coding = coding, Format = format, Room = room, RoomBytes = scratch };
        _team.Run(items, ref job);
        var problems = (PanelProblem*)_problemRoom.Get(count * sizeof(PanelProblem));
        for (int i = 0; i < count; i++)
        {
            ref readonly var p = ref products[i];
            problems[i] = PanelProblem.Of(format, p.Panels, p.B.Rows, CodedProduct.CodedDepth(p.A.Depth, format), p.Rows, 0, p.A.Rows, p.C, p.Ldc, p.Accumulate);
        }

        if (coding.Accumulation == Accumulation.Full) PanelGemm.Run(_team, problems, count, _form);
        else for (int i = 0; i < count; i++) RunShort(problems[i]);
    }

    // Block by block, the sum cut off after each; then the sum goes to C.
    private void RunShort(PanelProblem problem)
    {
        var c = new Matrix(problem.C, problem.M, problem.N, problem.Ldc);
        var sums = new Matrix((float*)_shortSums.Get((nint)problem.M * problem.N * sizeof(float)), problem.M, problem.N, problem.N);
        problem.C = sums.Pointer;
        problem.Ldc = sums.Stride;
        for (int b = 0; b < problem.Blocks; b++)
        {
            var part = problem.Block(b, accumulate: b > 0);
            PanelGemm.Run(_team, &part, 1, _form);
            var job = new ShortSums { Sums = sums, C = b + 1 < problem.Blocks ? default : c, Accumulate = problem.Accumulate };
            _team.Run(problem.M, ref job);
        }
    }

    private static float* RoomForScales(in OperandCoding coding, in OperandView operand, ref byte* at)
    {
        if (coding.Tile is not (ScaleTile.Block or ScaleTile.Tensor)) return null;
        float* scales = (float*)at;
        at += ScaleBytes(operand);
        return scales;
    }

    // Scales that blocks or whole operands share need a look at all values before the first is coded.
    private void FindSharedScales(CodedProduct* products, int* starts, int count, in OperandCoding coding, bool isRight)
    {
        if (coding.Tile is not (ScaleTile.Block or ScaleTile.Tensor)) return;
        int items = 0;
        for (int i = 0; i < count; i++)
        {
            starts[i] = items;
            items += products[i].Operand(isRight).Strips;
        }

        var job = new BlockScaleJob { Products = products, Starts = starts, Count = count, IsRight = isRight, Coding = coding };
        _team.Run(items, ref job);
        for (int p = 0; coding.Tile == ScaleTile.Tensor && p < count; p++)
        {
            var operand = products[p].Operand(isRight);
            float* scales = products[p].Scales(isRight);
            for (int i = 1; i < operand.Strips * operand.Blocks; i++) scales[0] = MathF.Max(scales[0], scales[i]);
        }
    }

    /// <summary>Bytes of the coded operands of a product [M, K]·[K, N].</summary>
    internal static long OperandBytes(in ProductCoding coding, long rows, int depth, long outputs)
    {
        var product = new CodedProduct { A = new OperandView { Rows = checked((int)rows), Depth = depth }, B = new OperandView { Rows = checked((int)outputs), Depth = depth } };
        return OperandBytes(product, FormatOf(coding));
    }

    private static PanelFormat FormatOf(in ProductCoding coding) => coding.Accumulation == Accumulation.Bits14 ? PanelFormat.ScaledBFloat16(ShortSums.Depth)
        : coding.A.IsScaled ? PanelFormat.ScaledBFloat16(OperandView.Tile) : PanelFormat.BFloat16;

    private static nint OperandBytes(in CodedProduct product, in PanelFormat format) =>
        new CodedLayout(format, CodedProduct.CodedDepth(product.A.Depth, format)).Bytes(product.A.Rows) + CodedProduct.ItemsOf(product.B) * (nint)format.PanelBytes(CodedProduct.CodedDepth(product.A.Depth, format))
        + ScaleBytes(product.A) + ScaleBytes(product.B);

    private static nint ScaleBytes(in OperandView operand) => ((nint)operand.Strips * operand.Blocks * sizeof(float) + 63) / 64 * 64;
}
