namespace Hadal.Parallel.Communication.Mpi;

/// <summary>A group of processes, as MPI knows it. Made and freed by the thread that calls MPI.</summary>
/// <param name="Messages">Communicator of messages between two ranks.</param>
/// <param name="MessageInbox">What is received over it.</param>
/// <param name="Operations">Communicator of the whole group's operations, so that their blocks never meet a message.</param>
/// <param name="OperationInbox">What is received over that.</param>
/// <param name="Members">World ranks in the order of the group's.</param>
/// <param name="Rank">This process's place in them.</param>
internal sealed unsafe record MpiGroup(nint Messages, MpiInbox MessageInbox, nint Operations, MpiInbox OperationInbox, int[] Members, int Rank)
{
    /// <summary>Two communicators of the same ranks as one, which is not used itself.</summary>
    public static MpiGroup From(MpiEngine engine, nint comm)
    {
        var library = engine.Library;
        nint messages = 0, operations = 0;
        MpiEngine.Check(MpiNative.MPI_Comm_dup(comm, ref messages));
        MpiEngine.Check(MpiNative.MPI_Comm_dup(comm, ref operations));
        MpiEngine.Check(MpiNative.MPI_Comm_set_errhandler(messages, library.ErrorsReturn));
        MpiEngine.Check(MpiNative.MPI_Comm_set_errhandler(operations, library.ErrorsReturn));
        MpiEngine.Check(MpiNative.MPI_Comm_rank(comm, out int rank));
        MpiEngine.Check(MpiNative.MPI_Comm_size(comm, out int size));
        nint group = 0, world = 0;
        MpiEngine.Check(MpiNative.MPI_Comm_group(comm, ref group));
        MpiEngine.Check(MpiNative.MPI_Comm_group(library.World, ref world));
        int[] ranks = [.. Enumerable.Range(0, size)], members = new int[size];
        fixed (int* from = ranks, to = members) MpiEngine.Check(MpiNative.MPI_Group_translate_ranks(group, size, from, world, to));
        MpiEngine.Check(MpiNative.MPI_Group_free(ref group));
        MpiEngine.Check(MpiNative.MPI_Group_free(ref world));
        return new MpiGroup(messages, engine.Open(messages), operations, engine.Open(operations), members, rank);
    }

    /// <summary>The part of this group that has this rank's color.</summary>
    public MpiGroup Divide(MpiEngine engine, int color, int key)
    {
        nint part = 0;
        MpiEngine.Check(MpiNative.MPI_Comm_split(Operations, color, key, ref part));
        var group = From(engine, part);
        MpiEngine.Check(MpiNative.MPI_Comm_free(ref part));
        return group;
    }

    /// <summary>Gives the communicators back; what is under way goes on.</summary>
    public void Free(MpiEngine engine)
    {
        engine.Close(MessageInbox);
        engine.Close(OperationInbox);
        nint messages = Messages, operations = Operations;
        MpiEngine.Check(MpiNative.MPI_Comm_free(ref messages));
        MpiEngine.Check(MpiNative.MPI_Comm_free(ref operations));
    }
}
