using Hadal.Numerics.Kernels;
using Hadal.Numerics.Lanes;
using Hadal.Numerics.Threading;

namespace Hadal.Numerics;

public sealed unsafe partial class CpuBackend
{
    // Rows of an expert that go through it together: four kernel heights, whose activations and sums stay in the second-level cache.
    private const int ExpertRows = 48;

    // With fewer pieces than this per thread, pieces are too uneven to share out, and the products are cut by columns instead.
    private const int PiecesPerThread = 6;

    private readonly NativeRoom _expertRoom = new();

    /// <inheritdoc/>
    public void ExpertMlp(Tensor x, Tensor slots, int choices, Tensor offsets, PackedWeights gateUp, PackedWeights down, Tensor gates, Tensor y)
    {
        ArgumentNullException.ThrowIfNull(gateUp);
        ArgumentNullException.ThrowIfNull(down);
        Require(x.Columns == gateUp.InFeatures && choices > 0, nameof(ExpertMlp), x, $"does not fit experts of {gateUp.InFeatures} inputs");
        Require(y.Columns == down.OutFeatures && y.Rows <= (long)x.Rows * choices, nameof(ExpertMlp), y, $"has to have at most {(long)x.Rows * choices} rows and {down.OutFeatures} columns");
        Require(gateUp.OutFeatures == 2 * down.InFeatures && gateUp.Experts == down.Experts, nameof(ExpertMlp), y, "has weights of experts that do not fit each other");
        int count = y.Rows, experts = gateUp.Experts;
        int* slotOf = Integers(slots, count);
        CheckIndices(slotOf, count, x.Rows * choices, nameof(ExpertMlp));
        int* bounds = Offsets(offsets, experts, count, nameof(ExpertMlp));
        var job = new ExpertJob
        {
            Slots = slotOf,
            Choices = choices,
            Gates = Vector(gates, (long)x.Rows * choices),
            Y = Rows(y),
            Inner = down.InFeatures,
            Form = _form,
        };
        if (gateUp is SingleWeights || down is SingleWeights)
        {
            RunSingleExperts(Rows(x), bounds, gateUp, down, job);
            return;
        }

        var (first, second) = (Panels(gateUp, nameof(ExpertMlp)), Panels(down, nameof(ExpertMlp)));
        job.Coded = Code(Rows(x), first);
        (job.SecondFormat, job.SecondCode) = (second.PanelFormat, second.ActivationCode);
        job.First = new CodedLayout(first.PanelFormat, first.InFeatures);
        job.Second = new CodedLayout(second.PanelFormat, second.InFeatures);
        int pieces = 0;
        for (int e = 0; e < experts; e++) pieces += Items(bounds[e + 1] - bounds[e], ExpertRows);
        if (pieces == 0) return;
        if (_team.Threads == 1 || pieces >= PiecesPerThread * _team.Threads) RunPieces(bounds, first, second, job, pieces);
        else RunInPhases(bounds, first, second, job);
    }

    // An expert's rows go through gate, up, activation and down in one go, on one thread.
    private void RunPieces(int* bounds, PanelWeights gateUp, PanelWeights down, ExpertJob job, int count)
    {
        nint perThread = job.First.Bytes(ExpertRows) + job.Second.Bytes(ExpertRows) + RoundToLine((2 * ExpertRows + 1) * (nint)job.Inner * sizeof(float));
        nint tableBytes = RoundToLine(count * sizeof(ExpertPiece));
        byte* room = _expertRoom.Get(tableBytes + perThread * _team.Threads);
        job.Pieces = (ExpertPiece*)room;
        (job.Scratch, job.ScratchBytes) = ((nint)(room + tableBytes), perThread);
        int piece = 0;
        for (int e = 0; e < gateUp.Experts; e++)
        {
            int rows = bounds[e + 1] - bounds[e], parts = Items(rows, ExpertRows);
            for (int i = 0; i < parts; i++)
            {
                // Parts of nearly equal height.
                int from = rows * i / parts, to = rows * (i + 1) / parts;
                job.Pieces[piece++] = new ExpertPiece
                {
                    FirstRow = bounds[e] + from,
                    Rows = to - from,
                    GateUp = Matrix(gateUp, e).Problem(default, 0, to - from, null, 0, false),
                    Down = Matrix(down, e).Problem(default, 0, to - from, null, 0, false),
                };
            }
        }

        _team.Run(count, ref job);
    }

    // Few rows: every product is a pass over weights, shared out by columns.
    private void RunInPhases(int* bounds, PanelWeights gateUp, PanelWeights down, ExpertJob job)
    {
        int rows = job.Y.Rows;
        nint codes = job.First.Bytes(rows), inner = job.Second.Bytes(rows), sums = (2 * (nint)rows + 1) * job.Inner * sizeof(float);
        byte* room = _expertRoom.Get(codes + inner + sums);
        var gateUps = new Matrix((float*)(room + codes + inner), rows, 2 * job.Inner, 2 * job.Inner);
        for (int e = 0; e < down.Experts; e++)
        {
            if (bounds[e + 1] > bounds[e]) ExpectMatrix(down, e);
        }

        _team.Expected.Publish();
        MultiplyGroups(job.Gather(0, rows, room), bounds, gateUp, gateUps);
        var coded = job.Second.At(room + codes, rows);
        job.Activate(0, rows, gateUps.Pointer, gateUps.Row(rows), coded);
        Expect(down.Next, rows / down.Experts);
        MultiplyGroups(coded, bounds, down, job.Y);
    }

    // FP32 weights: the plain operations one after the other.
    private void RunSingleExperts(in Matrix x, int* bounds, PackedWeights gateUp, PackedWeights down, in ExpertJob job)
    {
        int rows = job.Y.Rows, experts = gateUp.Experts, width = x.Columns;
        nint gatheredBytes = RoundToLine((nint)rows * width * sizeof(float));
        byte* room = _expertRoom.Get(gatheredBytes + rows * (3 * (nint)job.Inner + 1) * sizeof(float));
        var gathered = new Matrix((float*)room, rows, width, width);
        var gateUps = new Matrix((float*)(room + gatheredBytes), rows, 2 * job.Inner, 2 * job.Inner);
        var inner = new Matrix(gateUps.Row(rows), rows, job.Inner, job.Inner);
        int perItem = RowsPerItem(rows, width);
        Run(Items(rows, perItem), new GatherRowsKernel { X = x, Y = gathered, Indices = job.Slots, Divisor = job.Choices, RowsPerItem = perItem });
        MultiplyGroups(gathered, bounds, gateUp, gateUps);
        perItem = RowsPerItem(rows, job.Inner);
        float* factors = inner.Row(rows);
        for (int row = 0; row < rows; row++) factors[row] = job.Gates[job.Slots[row]];
        Run(Items(rows, perItem), new SwiGluKernel { GateUp = gateUps, Y = inner, RowScale = factors, RowsPerItem = perItem });
        MultiplyGroups(inner, bounds, down, job.Y);
    }

    private static nint RoundToLine(nint bytes) => (bytes + 63) / 64 * 64;

    /// <summary>Some rows of an expert.</summary>
    private struct ExpertPiece
    {
        public int FirstRow;
        public int Rows;
        public PanelProblem GateUp;
        public PanelProblem Down;
    }

    private struct ExpertJob : ITeamJob
    {
        public ExpertPiece* Pieces;
        public CodedRows Coded;
        public CodedLayout First;
        public CodedLayout Second;
        public PanelFormat SecondFormat;
        public ActivationCode SecondCode;
        public int* Slots;
        public int Choices;
        public float* Gates;
        public Matrix Y;
        public int Inner;
        public KernelForm Form;
        public nint Scratch;
        public nint ScratchBytes;

        public readonly void Execute(int item, int worker)
        {
            var piece = Pieces[item];
            byte* room = (byte*)Scratch + worker * ScratchBytes;
            byte* codes = room + First.Bytes(piece.Rows);
            float* gateUps = (float*)(codes + Second.Bytes(piece.Rows));
            float* inner = gateUps + 2 * (nint)piece.Rows * Inner;
            Attach(ref piece.GateUp, Gather(piece.FirstRow, piece.Rows, room), gateUps, 2 * Inner);
            PanelGemm.RunAlone(piece.GateUp, Form);
            var coded = Second.At(codes, piece.Rows);
            Activate(piece.FirstRow, piece.Rows, gateUps, inner, coded);
            Attach(ref piece.Down, coded, Y.Row(piece.FirstRow), Y.Stride);
            PanelGemm.RunAlone(piece.Down, Form);
        }

        /// <summary>Copies the codes of the tokens that belong to sorted rows side by side.</summary>
        public readonly CodedRows Gather(int firstRow, int rows, byte* room)
        {
            var gathered = First.At(room, rows);
            for (int r = 0; r < rows; r++)
            {
                int token = Slots[firstRow + r] / Choices;
                Buffer.MemoryCopy(Coded.Codes + token * Coded.Stride, gathered.Codes + r * gathered.Stride, Coded.Stride, Coded.Stride);
                if (gathered.Values == null) continue;
                nint bytes = Coded.ValueStride * sizeof(ActivationBlock);
                Buffer.MemoryCopy(Coded.Values + token * Coded.ValueStride, gathered.Values + r * gathered.ValueStride, bytes, bytes);
            }

            return gathered;
        }

        /// <summary>gate · silu(gate part) ⊙ up part, coded for the second product.</summary>
        public readonly void Activate(int firstRow, int rows, float* gateUps, float* inner, in CodedRows coded)
        {
            for (int r = 0; r < rows; r++)
            {
                float factor = Gates[Slots[firstRow + r]];
                var kernel = new SwiGluKernel
                {
                    GateUp = new Matrix(gateUps + 2 * (nint)r * Inner, 1, 2 * Inner, 2 * Inner),
                    Y = new Matrix(inner, 1, Inner, Inner),
                    RowScale = &factor,
                    RowsPerItem = 1,
                };
                switch (Form)
                {
                    case KernelForm.Reference:
                        kernel.Reference(0, 0);
                        break;
                    case KernelForm.Vector128:
                        kernel.Vector<Lanes128>(0, 0);
                        break;
                    case KernelForm.Assembled256:
                    case KernelForm.Assembled256Plain:
                    case KernelForm.Vector256:
                        kernel.Vector<Lanes256>(0, 0);
                        break;
                    default:
                        kernel.Vector<Lanes512>(0, 0);
                        break;
                }

                ActivationCoding.Run(
                    SecondCode, SecondFormat, inner, Inner, coded.Codes + r * coded.Stride, coded.Values == null ? null : coded.Values + r * coded.ValueStride);
            }
        }

        private static void Attach(ref PanelProblem problem, in CodedRows rows, float* c, nint ldc)
        {
            problem.Left = rows.Codes;
            problem.LeftStride = rows.Stride;
            problem.Values = rows.Values;
            problem.ValueStride = rows.ValueStride;
            problem.C = c;
            problem.Ldc = ldc;
        }
    }
}
