using System.Runtime.InteropServices;
using Hadal.Numerics.Assembly;
using Hadal.Numerics.Kernels;
using Hadal.Numerics.Tests.Panels;
using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace Hadal.Numerics.Tests.Assembly;

/// <summary>The interpreter against the processor: kernels that run here give the same bits in both. What it says of kernels that do not run here rests on that.</summary>
public sealed unsafe class MachineTests
{
    private static readonly PanelFormat[] _formats =
    [
        PanelFormat.BFloat16,
        PanelFormat.ScaledBFloat16(32),
        PanelFormat.E4M3(32),
        new(PanelElement.Byte, 128, 4, 128),
        new(PanelElement.Byte, 32, 2, 128),
        new(PanelElement.Byte, 16, 4, 0, true),
        new(PanelElement.Nibble, 32, 2, 8),
        new(PanelElement.Nibble, 32, 4, 0, true),
    ];

    public static TheoryData<string> Forms => ["Assembled512", "Assembled256", "Assembled256Plain"];

    [Theory]
    [MemberData(nameof(Forms))]
    public void A_kernel_gives_the_same_bits_interpreted_as_on_the_processor(string name)
    {
        var form = Enum.Parse<KernelForm>(name);
        Assert.SkipUnless(KernelForms.Available.Contains(form), $"This machine has no {form}.");
        foreach (var format in _formats.Where(f => PanelKernels.Has(form, f)))
        {
            foreach (var (rows, panels) in new[] { (1, 4), (3, 2), (6, 1) })
            {
                foreach (bool accumulate in new[] { false, true })
                {
                    // Activations as these kernels read them: wider than coded, where there is no dot product instruction.
                    int widened = form == KernelForm.Assembled512 ? format.ActivationSize : WidenedRows.Size(format, form == KernelForm.Assembled256);
                    using var problem = new PanelCase(format, rows, panels * 16, 256, rows * 10 + panels, accumulate);
                    float[] expected = problem.Run(p => Call(p, widened, call => PanelKernels.Get(form, format, rows, panels, true)(call)));
                    float[] actual = problem.Run(p => Call(p, widened, call =>
                    {
                        var machine = new Machine();
                        problem.Allow(machine.Memory);
                        machine.Memory.Allow(call, sizeof(PanelCall));
                        machine.Memory.Allow(call->Left, widened == format.ActivationSize ? 1 : WidenedRows.Bytes);
                        machine.Memory.Allow(call->C, rows * p.Ldc * sizeof(float));
                        machine.Memory.Allow(E4M3Codes.Tables, 256);
                        fixed (byte* constants = PanelKernelCode256.Constants) machine.Memory.Allow(constants, PanelKernelCode256.Constants.Length);
                        machine.Run(Code(form, format, rows, panels).ToBytes(), call);
                    }));
                    Assert.NotEqual(problem.Start, expected);
                    Assert.Equal(MemoryMarshal.Cast<float, uint>(expected), MemoryMarshal.Cast<float, uint>(actual));
                }
            }
        }
    }

    [Fact]
    public void What_the_processor_would_refuse_is_refused()
    {
        byte* configuration = stackalloc byte[64];
        new Span<byte>(configuration, 64).Clear();
        configuration[0] = 1;
        foreach (var (tile, rows, bytes) in new[] { (0, 2, 8), (1, 2, 8), (2, 2, 8), (3, 1, 8) })
        {
            configuration[48 + tile] = (byte)rows;
            configuration[16 + 2 * tile] = (byte)bytes;
        }

        Run(c => { }, null);
        Run(c => c.tdpbsud(tmm0, tmm1, tmm2), null);
        Run(c => c.tdpbsud(tmm0, tmm1, tmm1), "Cannot interpret");
        Run(c => c.tdpbsud(tmm0, tmm1, tmm3), "do not fit");
        Run(c => c.tilezero(tmm4), "not configured");
        Run(c => c.tileloadd(tmm0, __[rdi + rax]), null);
        Run(c => c.tileloadd(tmm0, __[rdi + rax + 60]), "not its own");
        Run(c => c.mov(__qword_ptr[rdi + 64], rax), "not its own");
        Run(c => c.vaddps(zmm0, zmm0, zmm0), "Cannot interpret");
        configuration[0] = 2;
        Run(c => { }, "palette");

        void Run(Action<Assembler> write, string? refusal)
        {
            var machine = new Machine();
            machine.Memory.Allow(configuration, 64);
            byte[] code = new WrittenCode(write).ToBytes();
            if (refusal is null) machine.Run(code, configuration);
            else Assert.Contains(refusal, Assert.Throws<InvalidOperationException>(() => machine.Run(code, configuration)).Message, StringComparison.Ordinal);
        }
    }

    private delegate void OnCall(PanelCall* call);

    private static void Call(PanelProblem p, int widened, OnCall run)
    {
        var call = new PanelCall
        {
            Left = p.Left,
            LeftStride = p.LeftStride,
            Values = p.Values,
            ValueStride = p.ValueStride * sizeof(ActivationBlock),
            Right = p.Right,
            PanelStride = p.PanelBytes,
            C = p.C,
            CStride = p.Ldc * sizeof(float),
            Blocks = p.Blocks,
            Accumulate = p.Accumulate ? 1 : 0,
            Constants = E4M3Codes.Tables,
        };
        if (widened != p.Format.ActivationSize) WidenedRows.Current.Fill(p, 0, p.M, 0, p.Blocks, ref call);
        run(&call);
    }

    private static KernelCode Code(KernelForm form, PanelFormat format, int rows, int panels) => form == KernelForm.Assembled512
        ? new PanelKernelCode(format, rows, panels, streaming: true)
        : new PanelKernelCode256(format, rows, panels, streaming: true, hasByteDot: form == KernelForm.Assembled256);

    /// <summary>Some instructions between a configuration of the tiles and their release.</summary>
    private sealed class WrittenCode(Action<Assembler> write) : KernelCode
    {
        protected override void Write()
        {
            Code.mov(eax, 8);
            Code.ldtilecfg(__[Argument]);
            write(Code);
            Code.tilerelease();
        }
    }
}
