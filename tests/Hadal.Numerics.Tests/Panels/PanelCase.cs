using System.Runtime.InteropServices;
using Hadal.Numerics.Kernels;
using Hadal.Numerics.Tests.Assembly;
using Hadal.Numerics.Threading;

namespace Hadal.Numerics.Tests.Panels;

/// <summary>A product of coded rows and panels with random codes, and its result in any form.</summary>
internal sealed unsafe class PanelCase : IDisposable
{
    private readonly List<(nint Start, int Bytes)> _blocks = [];
    private PanelProblem _problem;

    public PanelCase(PanelFormat format, int m, int n, int k, int seed, bool accumulate = false, int misalignment = 0)
    {
        var random = new Random(seed);
        (Format, M, N) = (format, m, n);
        int blocks = format.Blocks(k), depth = blocks * format.Block, panels = (n + 15) / 16;
        byte* right = Allocate((int)(panels * format.Offset(blocks)) + misalignment) + misalignment;
        for (int b = 0; b < panels * blocks; b++)
        {
            byte* panel = right + b / blocks * format.Offset(blocks);
            if (format.SuperBlock == 1) RandomBlock(random, panel + format.Offset(b % blocks));
            else if (b % format.SuperBlock == 0) RandomSuperBlock(random, panel, b % blocks);
        }

        nint stride = depth * format.ActivationSize + 32;
        byte* left = Allocate((int)(m * stride) + misalignment) + misalignment;
        var values = (ActivationBlock*)Allocate(m * blocks * sizeof(ActivationBlock));
        for (int row = 0; row < m; row++) RandomRow(random, left + row * stride, depth, values + row * blocks);
        _problem = new PanelProblem
        {
            Format = format,
            Right = right,
            Left = left,
            LeftStride = stride,
            Values = values,
            ValueStride = blocks,
            M = m,
            N = n,
            Blocks = blocks,
            Ldc = n + 3,
            Accumulate = accumulate,
        };
        Start = new float[m * (n + 3)];
        for (int i = 0; i < Start.Length; i++) Start[i] = random.NextSingle() - 0.5f;
    }

    public PanelFormat Format { get; }

    public int M { get; }

    public int N { get; }

    public float[] Start { get; }

    public float[] Run(KernelForm form, ThreadTeam team) => Run(problem => PanelGemm.Run(team, &problem, 1, form));

    public float[] Run(Action<PanelProblem> run)
    {
        float[] result = [.. Start];
        fixed (float* c = result)
        {
            var problem = _problem;
            problem.C = c;
            run(problem);
        }

        return result;
    }

    /// <summary>Lets an interpreted kernel read the operands and nothing beyond them.</summary>
    public void Allow(MachineMemory memory)
    {
        foreach (var (start, bytes) in _blocks) memory.Allow((void*)start, bytes);
    }

    public void Dispose()
    {
        foreach (var (start, _) in _blocks) NativeMemory.Free((void*)start);
    }

    private byte* Allocate(int bytes)
    {
        var memory = (byte*)NativeMemory.AllocZeroed((nuint)bytes);
        _blocks.Add(((nint)memory, bytes));
        return memory;
    }

    private void RandomBlock(Random random, byte* block)
    {
        for (int i = 0; i < Format.CodeBytes; i++)
        {
            // Any byte but the two NaN of E4M3.
            do block[i] = (byte)random.Next(256);
            while (Format.Element == PanelElement.E4M3 && (block[i] & 0x7F) == 0x7F);
        }

        for (int i = 0; Format.Element == PanelElement.BFloat16 && i < Format.CodeBytes / 2; i++) ((ushort*)block)[i] = PanelCodes.Narrow(random.NextSingle() - 0.5f);
        for (int i = 0; Format.Element == PanelElement.Float16 && i < Format.CodeBytes / 2; i++) ((Half*)block)[i] = (Half)((random.NextSingle() - 0.5f) * (i % 7 == 0 ? 1e-5f : 1));
        for (int column = 0; column < 16; column++)
        {
            if (Format.ScaleSize > 0) PanelCodes.Write(block + Format.CodeBytes, Format.ScaleSize, column, random.NextSingle() * 0.01f);
            if (Format.HasMinimum) PanelCodes.Write(block + Format.MinimumOffset, Format.ScaleSize, column, random.NextSingle() * 0.1f);
        }
    }

    private void RandomSuperBlock(Random random, byte* panel, int block)
    {
        random.NextBytes(new Span<byte>(panel + Format.Offset(block), Format.SuperBlockBytes));
        byte* scales = PanelCodes.SuperScales(Format, panel, block);
        for (int i = 0; i < Format.FactorOffset; i++) scales[i] = Format.HasMinimum ? (byte)(scales[i] & 63) : scales[i];
        for (int i = 0; i < 32; i++) PanelCodes.Factors(Format, panel, block)[i] = (Half)(random.NextSingle() * 0.01f);
    }

    private void RandomRow(Random random, byte* codes, int depth, ActivationBlock* values)
    {
        for (int k = 0; k < depth; k++)
        {
            if (Format.HasByteActivations) ((sbyte*)codes)[k] = (sbyte)random.Next(-127, 128);
            else if (Format.HasSingleActivations) ((float*)codes)[k] = random.NextSingle() - 0.5f;
            else ((ushort*)codes)[k] = PanelCodes.Narrow(random.NextSingle() - 0.5f);
        }

        for (int b = 0; b < depth / Format.Block; b++)
        {
            int sum = 0;
            for (int k = 0; Format.HasByteActivations && k < Format.Block; k++) sum += ((sbyte*)codes)[b * Format.Block + k];
            float scale = random.NextSingle() * 0.1f;
            values[b] = new ActivationBlock { Scale = scale, Offset = -Format.ZeroPoint * sum, Sum = scale * sum };
        }
    }
}
