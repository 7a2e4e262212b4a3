using System.Runtime.InteropServices;
using Iced.Intel;

namespace Hadal.Numerics.Tests.Assembly;

/// <summary>
/// Interprets the machine code of kernels on a model of the processor: general and vector registers, the zero flag, tiles, and the memory it is given. It knows the
/// instructions that kernels use, as Intel's Software Developer's Manual (volume 2) defines them, and refuses all others.
/// </summary>
internal sealed unsafe partial class Machine
{
    private const ulong ReturnAddress = 0xFFFF_FFFF_0000;
    private const int StackBytes = 4096, MostSteps = 50_000_000;

    private readonly ulong[] _general = new ulong[16];
    private readonly byte[] _vectors = new byte[32 * 64];
    private bool _isZero;

    public MachineMemory Memory { get; } = new();

    public MachineTiles Tiles { get; } = new();

    /// <summary>Instructions carried out so far, by their names.</summary>
    public Dictionary<Mnemonic, int> Steps { get; } = [];

    /// <summary>Calls a kernel with its one argument.</summary>
    public void Run(byte[] code, void* argument)
    {
        var instructions = Decode(code);
        var stack = (byte*)NativeMemory.AllocZeroed(StackBytes);
        try
        {
            Memory.Allow(stack, StackBytes);
            ulong[] kept = [.. _general];
            _general[Index(Register.RSP)] = (ulong)stack + StackBytes;
            _general[Index(OperatingSystem.IsWindows() ? Register.RCX : Register.RDI)] = (ulong)argument;
            Push(ReturnAddress);
            ulong place = 0;
            for (int step = 0; place != ReturnAddress; step++)
            {
                if (step == MostSteps) throw new InvalidOperationException("The kernel does not end.");
                if (!instructions.TryGetValue(place, out var instruction)) throw new InvalidOperationException($"No instruction starts at {place:X}.");
                Steps[instruction.Mnemonic] = Steps.GetValueOrDefault(instruction.Mnemonic) + 1;
                place = Execute(instruction);
            }

            // What a function has to leave as it found it.
            foreach (var register in new[] { Register.RBX, Register.RBP, Register.R12, Register.R13, Register.R14, Register.R15 })
            {
                if (_general[Index(register)] != kept[Index(register)]) throw new InvalidOperationException($"The kernel does not restore {register}.");
            }

            if (_general[Index(Register.RSP)] != (ulong)stack + StackBytes) throw new InvalidOperationException("The kernel leaves the stack where it was not.");
            if (Tiles.IsConfigured) throw new InvalidOperationException("The kernel does not release the tiles.");
        }
        finally
        {
            NativeMemory.Free(stack);
        }
    }

    private static Dictionary<ulong, Instruction> Decode(byte[] code)
    {
        var instructions = new Dictionary<ulong, Instruction>();
        var decoder = Decoder.Create(64, code);
        while (decoder.IP < (ulong)code.Length)
        {
            var instruction = decoder.Decode();
            if (instruction.IsInvalid || instruction.HasOpMask || instruction.ZeroingMasking) throw new InvalidOperationException($"Cannot interpret {instruction}.");
            instructions[instruction.IP] = instruction;
        }

        return instructions;
    }

    private ulong Execute(in Instruction i)
    {
        switch (i.Mnemonic)
        {
            case Mnemonic.Push:
                Push(_general[Index(i.Op0Register)]);
                break;
            case Mnemonic.Pop:
                SetGeneral(i.Op0Register, Pop());
                break;
            case Mnemonic.Ret:
                return Pop();
            case Mnemonic.Jmp:
                return i.NearBranchTarget;
            case Mnemonic.Jne:
                return _isZero ? i.NextIP : i.NearBranchTarget;
            case Mnemonic.Nop or Mnemonic.Prefetcht0:
                break;
            case Mnemonic.Mov:
                Set(i, Value(i, 1));
                break;
            case Mnemonic.Lea:
                SetGeneral(i.Op0Register, Address(i));
                break;
            case Mnemonic.Add:
                SetWithFlag(i, Value(i, 0) + Value(i, 1));
                break;
            case Mnemonic.Sub:
                SetWithFlag(i, Value(i, 0) - Value(i, 1));
                break;
            case Mnemonic.Dec:
                SetWithFlag(i, Value(i, 0) - 1);
                break;
            case Mnemonic.Shl:
                SetWithFlag(i, Value(i, 0) << (int)Value(i, 1));
                break;
            case Mnemonic.Test:
                _isZero = (Value(i, 0) & Value(i, 1)) == 0;
                break;
            case Mnemonic.Ldtilecfg:
                Tiles.Configure(new ReadOnlySpan<byte>(Memory.At(Address(i), 64), 64));
                break;
            case Mnemonic.Tilerelease:
                Tiles.Release();
                break;
            case Mnemonic.Tilezero:
                Tiles.Zero(TileIndex(i.Op0Register));
                break;
            case Mnemonic.Tileloadd:
                Tiles.Load(TileIndex(i.Op0Register), Memory, Start(i), _general[Index(i.MemoryIndex)] * (ulong)i.MemoryIndexScale);
                break;
            case Mnemonic.Tilestored:
                Tiles.Store(TileIndex(i.Op1Register), Memory, Start(i), _general[Index(i.MemoryIndex)] * (ulong)i.MemoryIndexScale);
                break;
            case Mnemonic.Tdpbssd or Mnemonic.Tdpbsud or Mnemonic.Tdpbusd or Mnemonic.Tdpbuud:
                Tiles.DotBytes(
                    TileIndex(i.Op0Register), TileIndex(i.Op1Register), TileIndex(i.Op2Register),
                    leftSigned: i.Mnemonic is Mnemonic.Tdpbssd or Mnemonic.Tdpbsud, rightSigned: i.Mnemonic is Mnemonic.Tdpbssd or Mnemonic.Tdpbusd);
                break;
            case Mnemonic.Tdpbf16ps:
                Tiles.DotPairs(TileIndex(i.Op0Register), TileIndex(i.Op1Register), TileIndex(i.Op2Register));
                break;
            case Mnemonic.Vzeroupper:
                for (int r = 0; r < 16; r++) _vectors.AsSpan(r * 64 + 16, 48).Clear();
                break;
            default:
                ExecuteVector(i);
                break;
        }

        return i.NextIP;
    }

    private static int Index(Register register) => register.GetFullRegister() - Register.RAX;

    private static int TileIndex(Register register) => register - Register.TMM0;

    private void Push(ulong value)
    {
        _general[Index(Register.RSP)] -= 8;
        *(ulong*)Memory.At(_general[Index(Register.RSP)], 8) = value;
    }

    private ulong Pop()
    {
        ulong value = *(ulong*)Memory.At(_general[Index(Register.RSP)], 8);
        _general[Index(Register.RSP)] += 8;
        return value;
    }

    // A tile's rows start here; the index register is their distance.
    private ulong Start(in Instruction i) => _general[Index(i.MemoryBase)] + i.MemoryDisplacement64;

    private ulong Address(in Instruction i)
    {
        ulong address = i.MemoryDisplacement64;
        if (i.MemoryBase != Register.None) address += _general[Index(i.MemoryBase)];
        if (i.MemoryIndex != Register.None) address += _general[Index(i.MemoryIndex)] * (ulong)i.MemoryIndexScale;
        return address;
    }

    private static int OperandBytes(in Instruction i, int operand) =>
        i.GetOpKind(operand) == OpKind.Register ? i.GetOpRegister(operand).GetSize() : i.MemorySize.GetSize();

    private ulong Value(in Instruction i, int operand)
    {
        var kind = i.GetOpKind(operand);
        if (kind is not (OpKind.Register or OpKind.Memory)) return i.GetImmediate(operand);
        int bytes = OperandBytes(i, operand);
        ulong value = kind == OpKind.Register ? _general[Index(i.GetOpRegister(operand))] : bytes == 8 ? *(ulong*)Memory.At(Address(i), 8) : *(uint*)Memory.At(Address(i), 4);
        return bytes switch { 8 => value, 4 => (uint)value, _ => throw new InvalidOperationException($"Cannot interpret {i}.") };
    }

    private void SetWithFlag(in Instruction i, ulong value)
    {
        if (OperandBytes(i, 0) == 4) value = (uint)value;
        _isZero = value == 0;
        Set(i, value);
    }

    private void Set(in Instruction i, ulong value)
    {
        if (i.Op0Kind == OpKind.Register) SetGeneral(i.Op0Register, value);
        else if (OperandBytes(i, 0) == 8) *(ulong*)Memory.At(Address(i), 8) = value;
        else throw new InvalidOperationException($"Cannot interpret {i}.");
    }

    // The upper half of a register becomes zero when the lower is written.
    private void SetGeneral(Register register, ulong value) => _general[Index(register)] = register.GetSize() == 4 ? (uint)value : value;
}
