"""What a call is made of: the parts of a ConnectionActor and a LinkActor. None of them is an actor.

    up     intake, held, snapshots     what the caller says: what came too early, which picture when
           allowance, lease            what they may say: quota spent where it is used
           joiner                      small frames made into useful ones
    down   stage, floor, transcript    what the model says: whose turn it is, who said what
           delivery, playout           what is handed over when
    both   call, checkpoint, terms     the present call, where it has got to, on which terms calls are taken

They are told the time and keep no clock, so all of them are tested by calling them.
"""
