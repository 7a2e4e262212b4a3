return Hadal.Parallel.Worker.RankProgram.Run(args);
