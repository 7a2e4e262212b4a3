using System.Diagnostics;
using Hadal.Numerics;
using Hadal.Parallel.Communication;
using Hadal.Training.Activations;
using Hadal.Training.Experts;
using Hadal.Training.Layers;

namespace Hadal.Parallel.Experts;

/// <summary>Expert parallelism: rows go to the ranks that hold their experts in two hops, first to the node (the rank there with the same place in its node), then to the rank (report section 3.2.2).</summary>
/// <remarks>
/// <para>
/// A row crosses to a node once, whichever and however many of its experts are there, and inside the node to a rank once; results are summed on the way back at the rank, at the node and at the
/// token, in the order of expert numbers, ranks and nodes. That order differs from the one of a single rank, which sums in the order of the token's choices: the one place where expert parallelism
/// changes last bits in the forward.
/// </para>
/// <para>Everything but coding and sorting rows happens on an <see cref="ExchangeThread"/>, so that the compute thread is free between the beginning of a carriage and its end.</para>
/// </remarks>
internal sealed class ExpertDispatch : IExpertExchange, IDisposable
{
    private readonly ExpertPlacement _placement;
    private readonly IBackend _backend;
    private readonly ExchangeThread _thread;
    private readonly Hop _nodes, _ranks;
    private readonly RowPayload _payload;
    private readonly bool _shortResults;
    private readonly int _width, _chosen, _rank;
    private readonly List<State> _states = [];

    /// <param name="group">The ranks that share the experts. The exchange thread alone uses the groups made of it.</param>
    /// <param name="placement">Which of them has which.</param>
    /// <param name="backend">Of the exchange thread.</param>
    /// <param name="payload">How rows and their gradients travel to experts.</param>
    /// <param name="shortResults">Whether results travel back as bfloat16.</param>
    /// <param name="width">D.</param>
    /// <param name="chosen">Experts per token.</param>
    public ExpertDispatch(ICollective group, ExpertPlacement placement, IBackend backend, RowPayload payload, bool shortResults, int width, int chosen)
    {
        (_placement, _backend, _payload, _shortResults, _width, _chosen, _rank) = (placement, backend, payload, shortResults, width, chosen, group.Rank);
        _nodes = new Hop(group.Split(_rank % placement.RanksPerNode, _rank), backend);
        _ranks = new Hop(group.Split(_rank / placement.RanksPerNode, _rank), backend);
        _thread = new ExchangeThread($"exchange of rank {_rank}");
    }

    public int FirstExpert => _rank * _placement.PerRank;

    public int Experts => _placement.PerRank;

    /// <summary>The hop between nodes.</summary>
    public Hop BetweenNodes => _nodes;

    /// <summary>The hop between the ranks of the node.</summary>
    public Hop InsideNode => _ranks;

    /// <summary>Told of every carriage; null for nobody.</summary>
    public ICarriageObserver? Observer { get; set; }

    public ExpertExchangeState CreateState()
    {
        var state = new State(_backend, _nodes.CreateRoute(), _ranks.CreateRoute());
        _states.Add(state);
        return state;
    }

    public void BeginDispatch(MicroBatchContext c, Tensor x, Tensor experts, Tensor weights, ExpertExchangeState state)
    {
        var s = (State)state;
        s.Take(x.Rows, _chosen);
        c.Backend.Read(experts, s.Choices.AsSpan(0, x.Rows * _chosen));
        c.Backend.Read(weights, s.Gates.AsSpan(0, x.Rows * _chosen));
        Begin(Carriage.Dispatch, s, () => Dispatch(s, x));
    }

    public ExpertRows EndDispatch(MicroBatchContext c, ExpertExchangeState state)
    {
        var s = (State)state;
        Await(s);
        return new ExpertRows(Sorted(c, s.Arrived, s, c.Matrix(s.SortedRows, _width)), s.Offsets, s.SortedGates);
    }

    public void BeginCombine(MicroBatchContext c, Tensor y, ExpertExchangeState state)
    {
        var s = (State)state;
        Begin(Carriage.Combine, s, () => Combine(s, y));
    }

    public void EndCombine(MicroBatchContext c, Tensor y, bool accumulate, ExpertExchangeState state)
    {
        var s = (State)state;
        Await(s);
        if (accumulate) c.Backend.Add(s.Combined, y);
        else c.Backend.Copy(s.Combined, y);
    }

    public void BeginGradientDispatch(MicroBatchContext c, Tensor dy, ExpertExchangeState state)
    {
        var s = (State)state;
        Begin(Carriage.GradientDispatch, s, () => s.ArrivedGradients = Spread(s, dy, s.GradientMemory));
    }

    public Tensor EndGradientDispatch(MicroBatchContext c, ExpertExchangeState state)
    {
        var s = (State)state;
        Await(s);
        return Sorted(c, s.ArrivedGradients, s, c.GradientMatrix(s.SortedRows, _width));
    }

    public void BeginGradientCombine(MicroBatchContext c, Tensor dRows, Tensor dWeights, ExpertExchangeState state)
    {
        var s = (State)state;
        s.TakeGateGradients(c.Backend, dWeights, _chosen);
        Begin(Carriage.GradientCombine, s, () =>
        {
            Combine(s, dRows);
            s.CombinedGates = Collect(s, s.GateGradients, isShort: false, s.GateSumsInNode, s.GateSums, areRows: false);
        });
    }

    public void EndGradientCombine(MicroBatchContext c, Tensor dWeights, ExpertExchangeState state)
    {
        var s = (State)state;
        Await(s);
        c.Backend.Copy(s.CombinedGates, dWeights);
    }

    public void AddGradient(MicroBatchContext c, Tensor dx, ExpertExchangeState state) => c.Backend.Add(((State)state).Combined, dx);

    // What arrived is kept as it travelled; weight gradients see it in the form in which the layer keeps its input.
    public Tensor Rows(MicroBatchContext c, Tensor x, ExpertExchangeState state)
    {
        var s = (State)state;
        return KeptActivation.Rounded(c, Sorted(c, s.Arrived, s, c.Matrix(s.SortedRows, _width)), c.Precision.Forms.Dispatched);
    }

    public void Dispose()
    {
        _thread.Dispose();
        foreach (var state in _states) state.Dispose();
        _nodes.Dispose();
        _ranks.Dispose();
    }

    private void Begin(Carriage carriage, State s, Action work)
    {
        s.Carriage = carriage;
        s.Job = _thread.Begin(() =>
        {
            long started = Stopwatch.GetTimestamp();
            work();
            Observer?.Carried(carriage, started, Stopwatch.GetTimestamp());
        });
    }

    private void Await(State s)
    {
        long started = Observer is null ? 0 : Stopwatch.GetTimestamp();
        s.Job!.Wait();
        Observer?.Awaited(s.Carriage, started, Stopwatch.GetTimestamp());
    }

    private void Dispatch(State s, Tensor x)
    {
        int node = _rank / _placement.RanksPerNode, first = node * _placement.RanksPerNode;
        s.ListTargets(s.Choices, x.Rows, _chosen, _placement.NodeOf, 0, _placement.Nodes);
        s.ToNodes.List(x.Rows, s.Targets);
        _nodes.ExchangeCounts(s.ToNodes);
        var choices = _nodes.Spread(s.ToNodes, s.WriteChoices(_backend, x.Rows, _chosen), s.NodeChoices, Carriage.Dispatch, areRows: false);
        s.RowsAtNode = choices.Rows;
        s.ReadChoices(_backend, choices, _chosen);
        s.ListTargets(s.Choices, choices.Rows, _chosen, _placement.RankOf, first, _placement.RanksPerNode);
        s.ToRanks.List(choices.Rows, s.Targets);
        _ranks.ExchangeCounts(s.ToRanks);
        s.ReadChoices(_backend, _ranks.Spread(s.ToRanks, choices, s.RankChoices, Carriage.Dispatch, areRows: false), _chosen);
        s.Sort(_backend, s.ToRanks.ReceivedRows, _chosen, FirstExpert, Experts);
        s.Arrived = Spread(s, x, s.RowMemory);
    }

    // What arrives is kept longer than what was sent, so it is a copy also where nothing had to travel.
    private Tensor Spread(State s, Tensor rows, GrowingTensor memory)
    {
        var words = _payload.Encode(_backend, rows, s.Codes, s.Words);
        var arrived = _ranks.Spread(s.ToRanks, _nodes.Spread(s.ToNodes, words, s.AtNode, s.Carriage, areRows: true), memory, s.Carriage, areRows: true);
        if (_placement.RanksPerNode > 1) return arrived;
        var copy = memory.Take(DType.F32, arrived.Rows, arrived.Columns);
        if (arrived.Rows > 0) _backend.Copy(arrived, copy);
        return copy;
    }

    // Sums over the experts of this rank first.
    private void Combine(State s, Tensor sorted)
    {
        var sums = s.Sums.Take(DType.F32, s.ToRanks.ReceivedRows, _width);
        _backend.Clear(sums);
        if (s.SortedRows > 0) _backend.EmbedWeightBackward(sorted, s.Index, sums);
        s.Combined = Collect(s, sums, _shortResults, s.AtNode, s.CombinedMemory, areRows: true);
    }

    private Tensor Collect(State s, Tensor results, bool isShort, GrowingTensor atNode, GrowingTensor memory, bool areRows) =>
        _nodes.Collect(s.ToNodes, _ranks.Collect(s.ToRanks, results, s.RowsAtNode, isShort, atNode, s.Carriage, areRows), s.TokenRows, isShort, memory, s.Carriage, areRows);

    // Rows in the order of their experts, from the order in which they arrived.
    private Tensor Sorted(MicroBatchContext c, Tensor words, State s, Tensor sorted)
    {
        var rows = words;
        if (!_payload.IsPlain)
        {
            rows = c.Matrix(words.Rows, _width);
            if (words.Rows > 0) _payload.Decode(c.Backend, words, s.DecodedCodes, rows);
        }

        if (s.SortedRows > 0) c.Backend.GatherRows(rows, s.Index, 1, sorted);
        return sorted;
    }

    private sealed class State(IBackend backend, HopRoute toNodes, HopRoute toRanks) : ExpertExchangeState, IDisposable
    {
        public readonly GrowingTensor RowMemory = new(backend), GradientMemory = new(backend), NodeChoices = new(backend), RankChoices = new(backend), AtNode = new(backend), Codes = new(backend);
        public readonly GrowingTensor Words = new(backend), Sums = new(backend), CombinedMemory = new(backend), GateSumsInNode = new(backend), GateSums = new(backend), DecodedCodes = new(backend);
        private readonly GrowingTensor _choices = new(backend), _index = new(backend), _offsets = new(backend), _gates = new(backend), _gateGradients = new(backend);
        private int[] _words = [], _places = [], _sortedRows = [], _bounds = [];
        private float[] _sortedGates = [], _spreadGates = [];

        public readonly HopRoute ToNodes = toNodes, ToRanks = toRanks;

        /// <summary>[rows · C] of the rows in hand: at the token, then at the node, then at the rank.</summary>
        public int[] Choices = [];

        /// <summary>Their gate weights.</summary>
        public float[] Gates = [];

        /// <summary>Where each row in hand goes next, as bits.</summary>
        public ulong[] Targets = [];

        public ExchangeThread.Job? Job;

        /// <summary>The carriage in hand.</summary>
        public Carriage Carriage;

        /// <summary>Rows at their token, at the node that they were sent to first, and once per expert of this rank.</summary>
        public int TokenRows, RowsAtNode, SortedRows;

        /// <summary>I32 [S]: the arrived row of each sorted one. I32 [experts + 1]. [S]. What arrived, as it travelled.</summary>
        public Tensor Index, Offsets, SortedGates, Arrived, ArrivedGradients;

        /// <summary>[T, D]: sums of what came back. [arrived, C] and [T, C]: gradients for the gate weights.</summary>
        public Tensor Combined, GateGradients, CombinedGates;

        public void Take(int rows, int chosen)
        {
            TokenRows = rows;
            Reserve(rows, chosen);
        }

        public void ListTargets(int[] choices, int rows, int chosen, Func<int, int> place, int first, int count)
        {
            for (int row = 0; row < rows; row++)
            {
                ulong targets = 0;
                for (int i = row * chosen; i < (row + 1) * chosen; i++)
                {
                    int at = place(choices[i]) - first;
                    if (at >= 0 && at < count) targets |= 1UL << at;
                }

                Targets[row] = targets;
            }
        }

        // [rows, 2·C] words: choices, then the bits of their gate weights.
        public Tensor WriteChoices(IBackend on, int rows, int chosen)
        {
            for (int row = 0; row < rows; row++)
            {
                for (int j = 0; j < chosen; j++)
                {
                    _words[2 * row * chosen + j] = Choices[row * chosen + j];
                    _words[(2 * row + 1) * chosen + j] = BitConverter.SingleToInt32Bits(Gates[row * chosen + j]);
                }
            }

            var integers = _choices.Take(DType.I32, rows, 2L * chosen);
            on.Write(_words.AsSpan(0, 2 * rows * chosen), integers);
            return integers.Storage.View(integers.ByteOffset, DType.F32, integers.Shape);
        }

        public void ReadChoices(IBackend on, Tensor words, int chosen)
        {
            int rows = words.Rows;
            Reserve(rows, chosen);
            if (rows > 0) on.Read(words.Storage.View(words.ByteOffset, DType.I32, words.Shape), _words.AsSpan(0, 2 * rows * chosen));
            for (int row = 0; row < rows; row++)
            {
                for (int j = 0; j < chosen; j++)
                {
                    Choices[row * chosen + j] = _words[2 * row * chosen + j];
                    Gates[row * chosen + j] = BitConverter.Int32BitsToSingle(_words[(2 * row + 1) * chosen + j]);
                }
            }
        }

        // By expert, and rows of an expert in the order in which they arrived.
        public void Sort(IBackend on, int rows, int chosen, int firstExpert, int experts)
        {
            if (_bounds.Length != experts + 1) _bounds = new int[experts + 1];
            Array.Clear(_bounds);
            int count = 0;
            for (int i = 0; i < rows * chosen; i++)
            {
                int expert = Choices[i] - firstExpert;
                if (expert < 0 || expert >= experts) continue;
                _bounds[expert + 1]++;
                count++;
            }

            for (int e = 0; e < experts; e++) _bounds[e + 1] += _bounds[e];
            if (_places.Length < count) (_places, _sortedRows, _sortedGates) = (new int[count], new int[count], new float[count]);
            Span<int> next = experts <= 256 ? stackalloc int[experts] : new int[experts];
            _bounds.AsSpan(0, experts).CopyTo(next);
            for (int i = 0; i < rows * chosen; i++)
            {
                int expert = Choices[i] - firstExpert;
                if (expert < 0 || expert >= experts) continue;
                int at = next[expert]++;
                (_places[at], _sortedRows[at], _sortedGates[at]) = (i, i / chosen, Gates[i]);
            }

            SortedRows = count;
            Offsets = _offsets.Take(DType.I32, experts + 1, 1).Reshape(new Shape(experts + 1));
            Index = _index.Take(DType.I32, count, 1).Reshape(new Shape(count));
            SortedGates = _gates.Take(DType.F32, count, 1).Reshape(new Shape(count));
            on.Write(_bounds, Offsets);
            if (count == 0) return;
            on.Write(_sortedRows.AsSpan(0, count), Index);
            on.Write(_sortedGates.AsSpan(0, count), SortedGates);
        }

        // From one per sorted row to one per arrived row and choice.
        public void TakeGateGradients(IBackend on, Tensor dWeights, int chosen)
        {
            int arrived = ToRanks.ReceivedRows;
            if (_spreadGates.Length < arrived * chosen) _spreadGates = new float[arrived * chosen];
            Array.Clear(_spreadGates);
            if (SortedRows > 0) on.Read(dWeights, _sortedGates.AsSpan(0, SortedRows));
            for (int at = 0; at < SortedRows; at++) _spreadGates[_places[at]] = _sortedGates[at];
            GateGradients = _gateGradients.Take(DType.F32, arrived, chosen);
            if (arrived > 0) on.Write(_spreadGates.AsSpan(0, arrived * chosen), GateGradients);
        }

        public void Dispose()
        {
            GrowingTensor[] all =
            [
                RowMemory, GradientMemory, NodeChoices, RankChoices, AtNode, Codes, Words, Sums, CombinedMemory, GateSumsInNode, GateSums, DecodedCodes, _choices, _index, _offsets, _gates, _gateGradients,
            ];
            foreach (var memory in all) memory.Dispose();
            ToNodes.Dispose();
            ToRanks.Dispose();
        }

        private void Reserve(int rows, int chosen)
        {
            if (Choices.Length < rows * chosen) (Choices, Gates) = (new int[rows * chosen], new float[rows * chosen]);
            if (_words.Length < 2 * rows * chosen) _words = new int[2 * rows * chosen];
            if (Targets.Length < rows) Targets = new ulong[rows];
        }
    }
}
