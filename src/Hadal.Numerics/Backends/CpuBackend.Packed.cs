using Hadal.Numerics.Formats;
using Hadal.Numerics.Kernels;
using Hadal.Numerics.Threading;

namespace Hadal.Numerics;

public sealed unsafe partial class CpuBackend
{
    private readonly NativeRoom _codeRoom = new();
    private readonly NativeRoom _problemRoom = new();

    /// <inheritdoc/>
    public PackedWeights Pack(Tensor w)
    {
        Require(w.Type is DType.F32 or DType.BF16 && w.Shape.Rank is 2 or 3, nameof(Pack), w, "has to be F32 or BF16 [out, in] or [experts, out, in]");
        int matrices = w.Shape.Rank == 3 ? checked((int)w.Shape[0]) : 1, outputs = w.Rows / Math.Max(1, matrices);
        var packed = CreatePacked(w.Type == DType.F32 ? WeightFormat.F32 : WeightFormat.BF16, matrices, outputs, w.Columns);
        for (int e = 0; e < matrices; e++) Fill(packed, e, [new WeightPart(w.RowRange((long)e * outputs, outputs))]);
        return packed;
    }

    /// <inheritdoc/>
    public PackedWeights CreatePacked(WeightFormat format, int matrices, int outputs, int inputs, bool together = false) => format == WeightFormat.F32
        ? new SingleWeights(matrices, outputs, inputs)
        : new PanelWeights(format, matrices, outputs, inputs, together);

    /// <inheritdoc/>
    public void Fill(PackedWeights w, int matrix, ReadOnlySpan<WeightPart> parts, bool alone = false)
    {
        ArgumentNullException.ThrowIfNull(w);
        int rows = 0;
        foreach (ref readonly var part in parts)
        {
            Require(part.Inputs == w.InFeatures, nameof(Fill), part.Codes, $"has to have {w.InFeatures} columns");
            rows += part.Codes.Rows;
        }

        if (rows != w.OutFeatures) throw new ArgumentException($"{nameof(Fill)}: the parts have {rows} rows, the weights {w.OutFeatures}.");
        var team = alone ? null : _team;
        if (w is SingleWeights single)
        {
            var copy = single.Matrices[matrix] ?? new PackedMatrix(w.OutFeatures, w.InFeatures);
            copy.Fill(team, parts.Length == 1 ? AsRows(parts[0].Codes) : throw Several());
            single.Matrices[matrix] = copy;
            return;
        }

        var panels = Panels(w, nameof(Fill));
        WeightRows* sources = stackalloc WeightRows[parts.Length];
        for (int i = 0; i < parts.Length; i++) sources[i] = Source(parts[i], panels.PanelFormat);
        var filled = panels.Matrices[matrix] ?? panels.Create(matrix);
        filled.Fill(team, sources, parts.Length);
        panels.Matrices[matrix] = filled;

        static ArgumentException Several() => new($"{nameof(Fill)}: FP32 weights come in one part.");
    }

    /// <inheritdoc/>
    public void Release(PackedWeights w, int matrix)
    {
        if (w is SingleWeights single)
        {
            single.Matrices[matrix]?.Dispose();
            single.Matrices[matrix] = null;
            return;
        }

        var panels = Panels(w, nameof(Release));
        panels.Matrices[matrix]?.Dispose();
        panels.Matrices[matrix] = null;
    }

    /// <inheritdoc/>
    public void Move(PackedWeights source, int present, PackedWeights destination, int absent)
    {
        ArgumentNullException.ThrowIfNull(source);
        ArgumentNullException.ThrowIfNull(destination);
        bool alike = source.Format == destination.Format && source.OutFeatures == destination.OutFeatures && source.InFeatures == destination.InFeatures;
        if (!alike || !source.IsPresent(present) || destination.IsPresent(absent))
        {
            throw new ArgumentException(
                $"{nameof(Move)}: the memory of a {source.Format} matrix of {source.OutFeatures} by {source.InFeatures} cannot become that of a {destination.Format} matrix of "
                + $"{destination.OutFeatures} by {destination.InFeatures}, or the one is absent or the other present.");
        }

        if (source is SingleWeights single) Exchange(single.Matrices, ((SingleWeights)destination).Matrices);
        else Exchange(Panels(source, nameof(Move)).Matrices, Panels(destination, nameof(Move)).Matrices);

        void Exchange<T>(T?[] from, T?[] to) => (to[absent], from[present]) = (from[present], default);
    }

    /// <inheritdoc/>
    public void Lock(PackedWeights w, int matrix)
    {
        if (w is SingleWeights single) Matrix(single, matrix).Memory.Lock();
        else Matrix(Panels(w, nameof(Lock)), matrix).Memory.Lock();
    }

    /// <inheritdoc/>
    public void MatMul(Tensor x, PackedWeights w, Tensor y, bool accumulate = false, int firstOutput = 0)
    {
        ArgumentNullException.ThrowIfNull(w);
        Require(w.Experts == 1 && x.Columns == w.InFeatures, nameof(MatMul), x, $"does not fit {w.Experts} arranged matrices of {w.OutFeatures} by {w.InFeatures}");
        Require(y.Rows == x.Rows && firstOutput % 16 == 0 && firstOutput >= 0 && y.Columns <= w.OutFeatures - firstOutput, nameof(MatMul), y,
            $"has to have {x.Rows} rows and columns from {firstOutput}, a multiple of 16, to at most {w.OutFeatures}");
        var (a, c) = (Rows(x), Rows(y));
        if (w is SingleWeights single)
        {
            Expect(w.Next, a.Rows);
            var problem = Matrix(single, 0).Problem(a.Pointer, a.Stride, a.Rows, c.Pointer, c.Stride, accumulate, firstOutput, y.Columns);
            Gemm.Run(_team, problem, _form);
            return;
        }

        var panels = Panels(w, nameof(MatMul));
        var coded = Code(a, panels);
        var product = Matrix(panels, 0).Problem(coded, 0, a.Rows, c.Pointer, c.Stride, accumulate);
        product.Right += firstOutput / 16 * product.PanelBytes;
        product.N = y.Columns;
        Expect(w.Next, a.Rows);
        PanelGemm.Run(_team, &product, 1, _form);
    }

    /// <inheritdoc/>
    public void GroupedMatMul(Tensor x, Tensor offsets, PackedWeights w, Tensor y)
    {
        ArgumentNullException.ThrowIfNull(w);
        Require(x.Columns == w.InFeatures, nameof(GroupedMatMul), x, $"does not fit {w.Experts} arranged matrices of {w.OutFeatures} by {w.InFeatures}");
        RequireShape(y, x.Rows, w.OutFeatures);
        Expect(w.Next, x.Rows / w.Experts);
        MultiplyGroups(Rows(x), Offsets(offsets, w.Experts, x.Rows, nameof(GroupedMatMul)), w, Rows(y));
    }

    private void MultiplyGroups(in Matrix a, int* bounds, PackedWeights w, in Matrix c)
    {
        if (w is SingleWeights single)
        {
            EnsureProblems(w.Experts);
            for (int e = 0; e < w.Experts; e++)
            {
                _problems[e] = bounds[e + 1] == bounds[e] ? default
                    : Matrix(single, e).Problem(a.Row(bounds[e]), a.Stride, bounds[e + 1] - bounds[e], c.Row(bounds[e]), c.Stride, false, 0, w.OutFeatures);
            }

            RunProblems(w.Experts);
            return;
        }

        var panels = Panels(w, nameof(GroupedMatMul));
        MultiplyGroups(Code(a, panels), bounds, panels, c);
    }

    private void MultiplyGroups(in CodedRows a, int* bounds, PanelWeights w, in Matrix c)
    {
        var problems = (PanelProblem*)_problemRoom.Get(w.Experts * sizeof(PanelProblem));
        int count = 0;
        for (int e = 0; e < w.Experts; e++)
        {
            int rows = bounds[e + 1] - bounds[e];
            if (rows > 0) problems[count++] = Matrix(w, e).Problem(a, bounds[e], rows, c.Row(bounds[e]), c.Stride, false);
        }

        PanelGemm.Run(_team, problems, count, _form);
    }

    // With more rows the next product is not bound by memory.
    private const int MostRowsToExpect = 16;

    // Whoever waits from here on fetches these weights, unless they are chosen among many.
    private void Expect(PackedWeights? next, int rows)
    {
        if (next is null || rows > MostRowsToExpect || _team.Threads == 1) return;
        for (int e = 0; e < next.Experts; e++) ExpectMatrix(next, e);
        _team.Expected.Publish();
    }

    private void ExpectMatrix(PackedWeights next, int matrix)
    {
        if (next is SingleWeights single && single.Matrices[matrix] is { } lines) _team.Expected.Add(lines.Memory.Pointer, lines.ByteLength);
        else if (next is PanelWeights several && several.Matrices[matrix] is { } panels) _team.Expected.Add(panels.Panels, panels.ByteLength);
    }

    private static PackedMatrix Matrix(SingleWeights w, int matrix) => w.Matrices[matrix] ?? throw Missing(matrix);

    private static PanelMatrix Matrix(PanelWeights w, int matrix) => w.Matrices[matrix] ?? throw Missing(matrix);

    private static InvalidOperationException Missing(int matrix) => new($"Matrix {matrix} of the arranged weights is not in memory.");

    private static PanelWeights Panels(PackedWeights w, string operation) =>
        w as PanelWeights ?? throw new ArgumentException($"{operation}: the weights were arranged by another backend.");

    private static Matrix AsRows(Tensor t) => Rows(t, nameof(Fill));

    private static WeightRows Source(in WeightPart part, PanelFormat format)
    {
        var codes = part.Codes;
        if (part.Blocks is { } blocks)
        {
            Require(codes.Type == DType.U8 && PanelWeights.FormatOf(blocks) == format, nameof(Fill), codes, $"has to have weights of the format of its blocks, {blocks}");
            return new WeightRows
            {
                First = new WeightRow { Codes = Address(codes), Type = DType.U8, Blocks = blocks },
                Stride = (nint)codes.RowStride,
                ScaleRows = 1,
                Count = codes.Rows,
            };
        }

        Require(codes.Type is DType.F32 or DType.BF16 or DType.F16 or DType.F8E4M3, nameof(Fill), codes, "has to be F32, BF16, F16 or F8E4M3");
        Require(!format.HasMinimum && format.ZeroPoint is not (16 or 32), nameof(Fill), codes, "has to be in the blocks of its format, which is not made here");
        Require(format.CodeSize == 1 || codes.Type != DType.F8E4M3, nameof(Fill), codes, "has to be F32, BF16 or F16 for weights of 16 bits");
        var rows = new WeightRows
        {
            First = new WeightRow { Codes = Address(codes), Type = codes.Type, ScaleDepth = part.ScaleColumns },
            Stride = (nint)codes.RowStride * codes.Type.SizeOf(),
            ScaleRows = part.ScaleRows,
            Count = codes.Rows,
        };
        if (part.Scales.IsEmpty) return rows;
        Require(codes.Type != DType.F8E4M3 || format.Element is not PanelElement.E4M3 || part.ScaleColumns % format.Block == 0, nameof(Fill), part.Scales, $"has to have blocks of a multiple of {format.Block} columns");
        var scales = Rows(part.Scales, nameof(Fill));
        RequireShape(part.Scales, (codes.Rows + part.ScaleRows - 1) / part.ScaleRows, (codes.Columns + part.ScaleColumns - 1) / part.ScaleColumns, nameof(Fill));
        rows.First.Scales = scales.Pointer;
        rows.ScaleStride = scales.Stride;
        return rows;
    }

    // The activations of a product in the code that its weights want, in memory that the next product uses again.
    private CodedRows Code(in Matrix x, PanelWeights w)
    {
        var layout = new CodedLayout(w.PanelFormat, x.Columns);
        var coded = layout.At(_codeRoom.Get(layout.Bytes(x.Rows)), x.Rows);
        var job = new CodeJob { X = x, Coded = coded, Format = w.PanelFormat, Code = w.ActivationCode, RowsPerItem = RowsPerItem(x.Rows, x.Columns) };
        _team.Run(Items(x.Rows, job.RowsPerItem), ref job);
        return coded;
    }

    private void ReleaseRooms()
    {
        _codeRoom.Dispose();
        _problemRoom.Dispose();
        _expertRoom.Dispose();
        _codedProducts.Dispose();
        _codedOperands.Dispose();
        _attentionRoom.Dispose();
        _shortSums.Dispose();
    }

    private struct CodeJob : ITeamJob
    {
        public Matrix X;
        public CodedRows Coded;
        public PanelFormat Format;
        public ActivationCode Code;
        public int RowsPerItem;

        public readonly void Execute(int item, int worker)
        {
            for (int row = item * RowsPerItem; row < Math.Min(X.Rows, (item + 1) * RowsPerItem); row++)
            {
                ActivationCoding.Run(
                    Code, Format, X.Row(row), X.Columns, Coded.Codes + row * Coded.Stride, Coded.Values == null ? null : Coded.Values + row * Coded.ValueStride);
            }
        }
    }

    private sealed class SingleWeights(int matrices, int outputs, int inputs) : PackedWeights
    {
        public PackedMatrix?[] Matrices { get; } = new PackedMatrix?[matrices];

        public override WeightFormat Format => WeightFormat.F32;

        public override int Experts => matrices;

        public override int OutFeatures => outputs;

        public override int InFeatures => inputs;

        public override long ByteLength => Matrices.Sum(m => m?.ByteLength ?? 0);

        public override long MatrixBytes => PackedMatrix.BytesFor(outputs, inputs);

        public override bool IsPresent(int matrix) => Matrices[matrix] is not null;

        protected override void Dispose(bool disposing)
        {
            foreach (var matrix in Matrices) matrix?.Dispose();
        }
    }

    private sealed class PanelWeights(WeightFormat format, int matrices, int outputs, int inputs, bool together) : PackedWeights
    {
        private NativeStorage? _memory;

        public PanelMatrix?[] Matrices { get; } = new PanelMatrix?[matrices];

        public PanelFormat PanelFormat { get; } = format switch
        {
            WeightFormat.BF16 => PanelTiles.BFloat16Format,
            WeightFormat.F16 => PanelFormat.Float16,
            WeightFormat.Fp8 or WeightFormat.Fp8W8A8 => PanelFormat.E4M3(128),
            WeightFormat.EightBit => new PanelFormat(PanelElement.Byte, 128, sizeof(float), 128),
            WeightFormat.FourBit => new PanelFormat(PanelElement.Nibble, 32, 2, 8),
            WeightFormat.Q80 => FormatOf(BlockFormat.Q80),
            WeightFormat.Q50 => FormatOf(BlockFormat.Q50),
            WeightFormat.Q40 => FormatOf(BlockFormat.Q40),
            WeightFormat.Q6K => FormatOf(BlockFormat.Q6K),
            WeightFormat.Q5K => FormatOf(BlockFormat.Q5K),
            WeightFormat.Q4K => FormatOf(BlockFormat.Q4K),
            _ => throw new ArgumentOutOfRangeException(nameof(format), format, "Not a format of panels."),
        };

        public ActivationCode ActivationCode { get; } = format switch
        {
            WeightFormat.F16 => ActivationCode.Single,
            WeightFormat.Fp8W8A8 => ActivationCode.E4M3,
            WeightFormat.BF16 or WeightFormat.Fp8 => ActivationCode.BFloat16,
            _ => ActivationCode.SignedByte,
        };

        /// <summary>How stored blocks lie in panels.</summary>
        public static PanelFormat FormatOf(BlockFormat blocks) => blocks switch
        {
            BlockFormat.Q80 => new PanelFormat(PanelElement.Byte, 32, 2, 128),
            BlockFormat.Q50 => new PanelFormat(PanelElement.Byte, 32, 2, 16),
            BlockFormat.Q40 => new PanelFormat(PanelElement.Nibble, 32, 2, 8),
            BlockFormat.Q6K => new PanelFormat(PanelElement.Nibble, 16, 1, 32, SuperBlock: 16, HighBits: 2),
            BlockFormat.Q5K => new PanelFormat(PanelElement.Nibble, 32, 1, 0, HasMinimum: true, SuperBlock: 8, HighBits: 1),
            BlockFormat.Q4K => new PanelFormat(PanelElement.Nibble, 32, 1, 0, HasMinimum: true, SuperBlock: 8),
            _ => throw new ArgumentOutOfRangeException(nameof(blocks), blocks, "No such format of blocks."),
        };

        public override WeightFormat Format => format;

        public override int Experts => matrices;

        public override int OutFeatures => outputs;

        public override int InFeatures => inputs;

        public override long ByteLength => Matrices.Sum(m => m?.ByteLength ?? 0);

        public override long MatrixBytes => PanelMatrix.BytesFor(PanelFormat, outputs, inputs);

        public override bool IsPresent(int matrix) => Matrices[matrix] is not null;

        protected override void Dispose(bool disposing)
        {
            foreach (var matrix in Matrices) matrix?.Dispose();
            _memory?.Dispose();
        }

        /// <summary>Room for a matrix.</summary>
        public PanelMatrix Create(int matrix)
        {
            if (!together) return new PanelMatrix(PanelFormat, outputs, inputs);
            long distance = (MatrixBytes + 63) / 64 * 64;
            _memory ??= new NativeStorage(checked(distance * matrices));
            return new PanelMatrix(PanelFormat, outputs, inputs, _memory, distance * matrix);
        }
    }
}
